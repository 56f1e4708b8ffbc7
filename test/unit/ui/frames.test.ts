import {EventEmitter} from 'node:events';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {createFrameClock} from '../../../src/ui/frame-clock.ts';
import {FrameStream} from '../../../src/ui/frame-stream.ts';
import {lineOfName, nameOfLine} from '../../../src/ui/line-texts.ts';

describe('the frame clock', () => {
  beforeEach(() => vi.useFakeTimers({now: 1_800_000_000_000}));
  afterEach(() => vi.useRealTimers());
  const started = () => {
    const frames: number[] = [];
    const clock = createFrameClock();
    clock.subscribe(() => frames.push(performance.now()));
    return {clock, frames};
  };

  it('draws at once for a key', () => {
    const {clock, frames} = started();
    clock.request('key');
    vi.advanceTimersByTime(2);
    expect(frames).toHaveLength(1);
  });

  it('makes one frame of many requests', () => {
    const {clock, frames} = started();
    for (let count = 0; count < 50; count += 1) clock.request('key');
    vi.advanceTimersByTime(50);
    expect(frames).toHaveLength(1);
  });

  it('never draws more than ten times in any second, however much is asked', () => {
    const {clock, frames} = started();
    for (let ms = 0; ms < 5000; ms += 7) {
      clock.request(ms % 3 === 0 ? 'key' : 'data');
      vi.advanceTimersByTime(7);
    }
    const most = Math.max(...frames.map((at) => frames.filter((other) => other >= at && other < at + 1000).length));
    expect(most).toBeLessThanOrEqual(10);
    expect(frames.length).toBeGreaterThan(30);
  });

  it('leaves room for keys while data comes all the time', () => {
    const {clock, frames} = started();
    for (let ms = 0; ms < 3000; ms += 20) {
      clock.request('data');
      vi.advanceTimersByTime(20);
    }
    const before = frames.length;
    expect(before).toBeLessThanOrEqual(16);
    clock.request('key');
    vi.advanceTimersByTime(5);
    expect(frames.length).toBe(before + 1);
  });

  it('draws at once for the key that comes right after another one, and after data', () => {
    const {clock, frames} = started();
    vi.advanceTimersByTime(1000);
    for (const cause of ['data', 'key', 'key'] as const) {
      clock.request(cause);
      vi.advanceTimersByTime(20);
    }
    expect(frames).toHaveLength(3);
  });

  it('makes no second frame for what is found out at a beat', () => {
    const {clock, frames} = started();
    clock.subscribe(() => clock.request('key'));
    clock.request('data');
    vi.advanceTimersByTime(3000);
    expect(frames).toHaveLength(1);
    clock.request('key');
    vi.advanceTimersByTime(3000);
    expect(frames).toHaveLength(2);
  });

  it('has no timer while nothing changes', () => {
    const {clock} = started();
    clock.request('key');
    vi.advanceTimersByTime(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('ticks as long as anybody wants it', () => {
    const {clock, frames} = started();
    const stop = clock.tick(10_000);
    vi.advanceTimersByTime(31_000);
    expect(frames).toHaveLength(3);
    stop();
    vi.advanceTimersByTime(30_000);
    expect(frames).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the frame stream', () => {
  class Sink extends EventEmitter {
    columns = 20;
    rows = 4;
    writableNeedDrain = false;
    written: string[] = [];
    write(text: string): boolean {
      this.written.push(text);
      return true;
    }
  }
  const opened = (redact?: (text: string) => string) => {
    const sink = new Sink();
    const stream = new FrameStream(sink, redact);
    stream.open();
    sink.written = [];
    return {sink, stream};
  };

  it('writes only the lines that changed, as one synchronised update', () => {
    const {sink, stream} = opened();
    stream.write('a\nb\nc');
    sink.written = [];
    stream.write('a\nB\nc');
    expect(sink.written).toEqual(['\u001B[?2026h\u001B[2;1HB\u001B[0m\u001B[K\u001B[?2026l']);
  });

  it('writes nothing for the same frame', () => {
    const {sink, stream} = opened();
    stream.write('a');
    sink.written = [];
    stream.write('a');
    expect(sink.written).toEqual([]);
  });

  it('clears lines that are gone, and draws no further than the last row', () => {
    const {sink, stream} = opened();
    stream.write('a\nb\nc\nd\ne\nf');
    expect(sink.written.join('')).not.toContain('e\u001B[0m');
    sink.written = [];
    stream.write('a');
    expect(sink.written[0]).toContain('\u001B[2;1H\u001B[0m\u001B[K');
  });

  it('draws all anew after a resize', () => {
    const {sink, stream} = opened();
    stream.write('a\nb');
    sink.written = [];
    sink.emit('resize');
    expect(sink.written[0]).toContain('\u001B[2J');
    expect(sink.written[0]).toContain('a');
  });

  it('gives a slow terminal the newest frame when it can take one', () => {
    const {sink, stream} = opened();
    stream.write('one');
    sink.written = [];
    sink.writableNeedDrain = true;
    stream.write('two');
    stream.write('three');
    expect(sink.written).toEqual([]);
    sink.writableNeedDrain = false;
    sink.emit('drain');
    expect(sink.written.join('')).toContain('three');
    expect(sink.written.join('')).not.toContain('two');
  });

  it('leaves the cursor to the session, and shows no secret', () => {
    const {sink, stream} = opened((text) => text.replaceAll('hunter2', '[redacted]'));
    stream.write('\u001B[?25h');
    expect(sink.written).toEqual([]);
    stream.write(nameOfLine('the password is hunter2'));
    expect(sink.written[0]).toContain('the password is [redacted]');
  });
});

it('finds a line by its name, and takes nothing else for one', () => {
  const name = nameOfLine('x');
  expect(nameOfLine('x')).toBe(name);
  expect(lineOfName(`${name}   `)).toBe('x');
  expect(lineOfName('plain')).toBe('plain');
  for (let count = 0; count < 4500; count += 1) nameOfLine(`line ${count}`);
  expect(lineOfName(name)).toBe('x');
});
