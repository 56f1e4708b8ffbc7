// One recorded run through every renderer: they agree on the facts, and none lets a secret or an escape sequence through.
import {stripVTControlCharacters} from 'node:util';
import {describe, expect, it} from 'vitest';
import {emptyRunView, reduceRun, viewOfRun} from '../../src/fleet/run-view.ts';
import {eventMeanings} from '../../src/kernel/event-meanings.ts';
import {Journal} from '../../src/kernel/journal.ts';
import {Redactor} from '../../src/kernel/redact.ts';
import type {EventBody, TriremeEvent} from '../../src/kernel/event.ts';
import {followRun, type FollowPicture} from '../../src/output/follow.ts';
import {renderEvent} from '../../src/output/plain.ts';
import {Presenter, type OutputFormat} from '../../src/output/present.ts';
import {plainStyle} from '../../src/output/style.ts';
import {renderSummary} from '../../src/output/summary.ts';
import {createTerminal} from '../../src/output/terminal.ts';
import {followInline} from '../../src/ui/inline-run.tsx';
import {runLines} from '../../src/ui/run-lines.ts';
import {createTheme} from '../../src/ui/theme.ts';
import {recordedRun, recordedTypes} from './recorded-run.ts';

interface Heard {
  readonly stdout: string;
  readonly stderr: string;
  readonly warnings: readonly {readonly code: string}[];
}

/** Plays events to a command's follower and returns all that it wrote. */
function play(
  events: readonly TriremeEvent[],
  options: {readonly format: OutputFormat; readonly tty?: boolean; readonly redactor?: Redactor; readonly ascii?: boolean},
): Heard {
  const written = {stdout: '', stderr: ''};
  const stream = (name: 'stdout' | 'stderr') => ({write: (text: string) => (written[name] += text), isTTY: options.tty === true, columns: 120, rows: 40});
  const terminal = createTerminal({
    env: {LANG: 'C.UTF-8', TERM: 'xterm', NO_COLOR: '1'},
    ascii: options.ascii ?? false,
    stdin: {isTTY: options.tty === true},
    stdout: stream('stdout'),
    stderr: stream('stderr'),
  });
  const out = new Presenter({terminal, format: options.format, quiet: false, verbose: true, redactor: options.redactor ?? new Redactor()});
  // on a terminal a command draws the Run screen's picture
  const picture: FollowPicture = (given) => followInline({...given, theme: {name: 'dark', level: 0, ascii: options.ascii ?? false}});
  const follower = followRun(out, options.tty === true ? picture : undefined);
  for (const event of events) follower.follow(event);
  follower.close();
  out.print(renderSummary(follower.view, {style: out.style}));
  return {...written, warnings: out.warnings};
}

const theme = createTheme({name: 'dark', level: 0, ascii: false});
const hosts = {bow: 'changed', keel: 'unchanged', mast: 'failed', quay: 'unreachable'} as const;
const views = {
  plain: () => play(recordedRun, {format: 'text'}),
  live: () => play(recordedRun, {format: 'text', tty: true}),
  json: () => play(recordedRun, {format: 'json'}),
  ndjson: () => play(recordedRun, {format: 'ndjson'}),
};

describe('the recording', () => {
  it('has every kind of event', () => {
    expect([...recordedTypes].toSorted()).toEqual(Object.keys(eventMeanings).toSorted());
  });
});

describe('the renderers', () => {
  it.each(['plain', 'live'] as const)('%s: tells what became of every host, why, and that it is simulated', (name) => {
    const {stdout, stderr} = views[name]();
    for (const [host, outcome] of Object.entries(hosts)) expect(stdout).toMatch(new RegExp(`1 host ${outcome}: ${host}\\b`));
    for (const text of ["Can't reach quay over SSH", '/var is full.']) expect(stdout).toContain(text);
    for (const text of ['The clock of bow is 3 s ahead.', 'Start a time service.', 'Apply this to berth? yes']) expect(stderr).toContain(text);
    expect(stdout).toContain('SIMULATED');
    expect(stderr).toContain('SIMULATED');
    expect(stdout).toContain('failed in 2.4 s');
  });

  it('ndjson: prints every event as it was recorded, and nothing else', () => {
    const {stdout, stderr} = views.ndjson();
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(recordedRun);
    expect(stderr).toBe('');
  });

  it('json: keeps stdout for the envelope and gives it the warnings', () => {
    const {stdout, stderr, warnings} = views.json();
    expect(stdout).toBe('');
    expect(stderr).toContain('mast');
    expect(warnings).toEqual([expect.objectContaining({code: 'clock-skew', host: 'bow'})]);
  });

  it('the view, from which the screens are drawn, says the same', () => {
    const view = viewOfRun(recordedRun);
    expect(Object.fromEntries(view.hosts.map(({host, outcome}) => [host, outcome]))).toEqual(hosts);
    expect(view.phases.map(({title, done, satisfied, failed, dropped}) => [title, done, satisfied, failed, dropped])).toEqual([
      ['Push the agent', 1, 1, 1, 0],
      ['Join workers', 0, 0, 0, 1],
      ['Wait for health', 1, 0, 0, 0],
    ]);
    expect(view).toMatchObject({outcome: 'failed', ms: 2400, simulated: true, problem: {code: 'host.disk-full'}});
  });

  it('a frame at any moment counts what had happened by then', () => {
    let view = emptyRunView;
    for (const event of recordedRun) {
      view = reduceRun(view, event);
      const now = Date.parse(event.at);
      for (const [columns, rows] of [
        [80, 24],
        [30, 8],
      ] as const) {
        const lines = runLines(view, {theme, width: columns, height: rows - 1, now});
        expect(lines.length).toBeLessThan(rows);
        expect(Math.max(...lines.map((line) => stripVTControlCharacters(line).length))).toBeLessThanOrEqual(columns);
      }
      if (event.type === 'transfer.progressed' && event.sent < event.total)
        expect(runLines(view, {theme, width: 80, height: 23, now}).join('\n')).toContain('1.0 KiB of 4.0 KiB');
    }
  });

  it('passes over an event of a newer version', () => {
    const newer = {...recordedRun[0], type: 'sail.hoisted'} as unknown as TriremeEvent;
    expect(renderEvent(newer, {style: plainStyle, verbose: true})).toBeUndefined();
    expect(reduceRun(emptyRunView, newer)).toBe(emptyRunView);
  });

  it('keep to ASCII when asked', () => {
    for (const tty of [true, false]) {
      const {stdout, stderr} = play(recordedRun, {format: 'text', tty, ascii: true});
      // oxlint-disable-next-line no-control-regex -- the cursor's own escapes are ASCII too
      expect(stdout + stderr).toMatch(/^[\u0000-\u007F]*$/);
    }
  });
});

describe('a canary secret', () => {
  const canary = 'c4n4ry-t0p-s3cret';
  const redactor = new Redactor();
  redactor.add(canary);

  /** The recording with the secret in every text that isn't a name the code gave. */
  function poisoned(through: Redactor): readonly TriremeEvent[] {
    const journal = new Journal({run: 'r', redactor: through});
    const events: TriremeEvent[] = [];
    journal.subscribe((event) => events.push(event));
    const poison = (value: unknown): unknown => {
      if (typeof value === 'string') return `${value} ${canary}`;
      if (Array.isArray(value)) return value.map(poison);
      if (value !== null && typeof value === 'object')
        return Object.fromEntries(
          Object.entries(value).map(([key, item]) => [key, ['type', 'outcome', 'status', 'effect', 'stream'].includes(key) ? item : poison(item)]),
        );
      return value;
    };
    for (const {seq: _seq, at: _at, run: _run, ...body} of recordedRun) journal.emit(poison(body) as EventBody);
    return events;
  }

  it.each([
    ['text', false],
    ['text', true],
    ['json', false],
    ['ndjson', false],
  ] as const)('is in no output (%s, terminal %s), whether the journal or only the presenter knows it', (format, tty) => {
    for (const through of [redactor, new Redactor()]) {
      const {stdout, stderr, warnings} = play(poisoned(through), {format, tty, redactor});
      expect(stdout + stderr + JSON.stringify(warnings)).not.toContain(canary);
    }
  });

  it('would be seen: without a redactor it comes out everywhere', () => {
    const {stdout, stderr} = play(poisoned(new Redactor()), {format: 'text'});
    expect(stdout).toContain(canary);
    expect(stderr).toContain(canary);
  });
});

describe('untrusted text', () => {
  const hostile = '\u001B[2J\u001B]0;owned\u0007\u009B31mred\u0007\r\u202Egnp.exe';

  it.each([true, false])('steers no terminal (terminal: %s)', (tty) => {
    const events = recordedRun.map((event) =>
      event.type === 'step.finished' && event.problem !== undefined
        ? {...event, title: hostile, problem: {...event.problem, message: hostile, hints: [hostile]}}
        : event.type === 'step.output'
          ? {...event, line: hostile}
          : event,
    );
    const {stdout, stderr} = play(events, {format: 'text', tty});
    // What is left of escapes is only what the picture itself writes: cursor up, clear to the end, hide and show the cursor, bold and inverse.
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    const left = (stdout + stderr).replaceAll(/\u001B\[(\d+A|0J|\?25[lh]|(?:0|1|4|7|22|24|27)(?:;[147])*m)|\r(?=\u001B\[0J)/g, '');
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(left).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u202A-\u202E]/);
    expect(left).toContain('red');
  });
});
