// Chooses how a run is followed: NDJSON for programs, a live block on a terminal, plain lines elsewhere.
import {emptyRunView, reduceRun, type RunView} from '../fleet/run-view.ts';
import type {TriremeEvent} from '../kernel/event.ts';
import {LiveBlock} from './live.ts';
import {renderEvent} from './plain.ts';
import type {Presenter} from './present.ts';

export interface Follower {
  /** Subscribe this to the run's journal. */
  readonly follow: (event: TriremeEvent) => void;
  /** What the events so far say. */
  readonly view: RunView;
  /** A remark that must not tear the block. */
  note(text: string): void;
  /** Gives the terminal back; harmless when called twice. */
  close(): void;
}

/** Follows a run in the presenter's format; warnings of the run end up in the JSON output too. */
export function followRun(out: Presenter): Follower {
  if (out.showsProgress && out.terminal.canRedraw) return followLive(out);
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

function followLive(out: Presenter): Follower {
  const block = new LiveBlock({stream: out.terminal.stderr, style: out.terminal.errorStyle, verbose: out.verbose, redact: out.redact});
  let open = true;
  return {
    follow: (event) => {
      if (event.type === 'run.finished') open = false;
      if (event.type === 'warning.raised') out.remember(warningOf(event));
      block.follow(event);
    },
    get view() {
      return block.view;
    },
    note: (text) => block.note(text),
    close: () => {
      if (open) block.close();
      open = false;
    },
  };
}

function warningOf(event: Extract<TriremeEvent, {type: 'warning.raised'}>) {
  const {code, message, host, hints} = event;
  return {code, message, ...(host === undefined ? {} : {host}), ...(hints === undefined ? {} : {hints})};
}
