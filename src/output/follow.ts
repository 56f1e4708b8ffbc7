// Chooses how a run is followed: NDJSON for programs, the Run picture on a terminal, plain lines elsewhere.
import {emptyRunView, reduceRun, type RunView} from '../fleet/run-view.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import {renderEvent} from './plain.ts';
import type {Presenter} from './present.ts';

export interface Follower {
  /** Subscribe this to the run's journal. */
  readonly follow: (event: TriremeEvent) => void;
  /** What the events so far say. */
  readonly view: RunView;
  /** A remark that must not tear the picture. */
  note(text: string): void;
  /** Gives the terminal back; harmless when called twice. */
  close(): void;
}

/** What draws a run in place; made by whoever may load screens. */
export type FollowPicture = (options: {
  readonly stream: Presenter['terminal']['stderr'];
  readonly redact: (text: string) => string;
  readonly lineFor: (event: TriremeEvent) => string | undefined;
}) => Follower;

/** What is worth a line of its own above the picture. */
const permanent: ReadonlySet<TriremeEvent['type']> = new Set(['run.started', 'host.unreachable', 'warning.raised', 'question.asked']);

/** Follows a run in the presenter's format; warnings of the run end up in the JSON output too. With a `picture` it is drawn in place. */
export function followRun(out: Presenter, picture?: FollowPicture): Follower {
  return picture === undefined ? followLines(out) : followDrawn(out, picture);
}

function followLines(out: Presenter): Follower {
  let view = emptyRunView;
  return {
    follow: (event) => {
      view = reduceRun(view, event);
      if (out.format === 'ndjson') return out.event(event);
      if (event.type === 'warning.raised') return out.warn(warningOf(event));
      const line = renderEvent(event, {style: out.terminal.errorStyle, verbose: out.verbose});
      if (line !== undefined) out.note(line);
    },
    get view() {
      return view;
    },
    note: (text) => out.note(text),
    close: () => {},
  };
}

function followDrawn(out: Presenter, picture: FollowPicture): Follower {
  const isPermanent = (event: TriremeEvent) =>
    permanent.has(event.type) ||
    (event.type === 'step.finished' && event.outcome === 'failed') ||
    (event.type === 'step.output' && (out.verbose || event.asked === true));
  const drawn = picture({
    stream: out.terminal.stderr,
    redact: out.redact,
    lineFor: (event) => (isPermanent(event) ? renderEvent(event, {style: out.terminal.errorStyle, verbose: out.verbose}) : undefined),
  });
  return {
    follow: (event) => {
      if (event.type === 'warning.raised') out.remember(warningOf(event));
      drawn.follow(event);
    },
    get view() {
      return drawn.view;
    },
    note: drawn.note,
    close: drawn.close,
  };
}

function warningOf(event: Extract<TriremeEvent, {type: 'warning.raised'}>) {
  const {code, message, host, hints} = event;
  return {code, message, ...(host === undefined ? {} : {host}), ...(hints === undefined ? {} : {hints})};
}
