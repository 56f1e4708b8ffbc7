import {stripVTControlCharacters} from 'node:util';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {TriremeEvent} from '../../../src/kernel/event.ts';
import {renderEvent} from '../../../src/output/plain.ts';
import {plainStyle} from '../../../src/output/style.ts';
import {followInline} from '../../../src/ui/inline-run.tsx';

const started = {
  type: 'run.started',
  operation: 'apply',
  subject: 'berth',
  mode: 'agent',
  simulated: false,
  phases: [{title: 'Push', steps: [{id: 'a', title: 'Push', host: 'h1', effect: 'none'}]}],
  seq: 1,
  at: '2026-11-23T12:00:00.000Z',
  run: 'r',
} as const satisfies TriremeEvent;

describe('a run on the terminal of its command', () => {
  const writes: string[] = [];
  const open = () =>
    followInline({
      stream: {write: (text) => writes.push(text), columns: 80, rows: 24},
      theme: {name: 'dark', level: 0, ascii: false},
      lineFor: (event) => (event.type === 'step.finished' && event.outcome === 'failed' ? renderEvent(event, {style: plainStyle}) : undefined),
      redact: (text) => text.replaceAll('s3cret', '[redacted]'),
    });

  beforeEach(() => {
    writes.length = 0;
    vi.useFakeTimers({now: Date.parse(started.at)});
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('draws at most ten frames a second however many events there are', () => {
    const block = open();
    block.follow(started);
    for (let ms = 0; ms < 1000; ms += 1) {
      block.follow({type: 'transfer.progressed', host: 'h1', name: 'x', sent: ms, total: 1000, seq: ms + 2, at: started.at, run: 'r'});
      vi.advanceTimersByTime(1);
    }
    const frames = writes.filter((text) => text.includes('apply berth')).length;
    expect(frames).toBeGreaterThan(5);
    expect(frames).toBeLessThanOrEqual(11);
    block.close();
  });

  it('erases exactly what it drew before', () => {
    const block = open();
    block.follow(started);
    vi.advanceTimersByTime(450);
    const frames = writes.filter((text) => text.includes('apply berth'));
    const height = (frames.at(-2) ?? '').split('\n').length - 1;
    expect(frames.length).toBeGreaterThan(2); // the first has a line above the block
    expect(frames.at(-1)?.startsWith(`\u001B[${height}A\r\u001B[0J`)).toBe(true);
    block.close();
  });

  it('keeps failures above the picture, whose end stays, and gives the cursor back', () => {
    const block = open();
    block.follow(started);
    vi.advanceTimersByTime(100);
    block.follow({
      type: 'step.finished',
      step: 'a',
      title: 'Push',
      phase: 'Push',
      host: 'h1',
      outcome: 'failed',
      ms: 5,
      problem: {code: 'host.disk-full', message: '/var is full of s3cret.', hints: [], exit: 1, host: 'h1'},
      seq: 2,
      at: started.at,
      run: 'r',
    });
    block.follow({type: 'run.finished', outcome: 'failed', ms: 9, hosts: [], seq: 3, at: started.at, run: 'r'});
    const last = writes.slice(-2).join('');
    expect(stripVTControlCharacters(last)).toMatch(/\/var is full of \[redacted\]\.[^]*apply berth[^]*failed in 9 ms\n[^]*Push {2}0\/1/);
    expect(last.endsWith('\u001B[?25h')).toBe(true);
    const drawn = writes.length;
    vi.advanceTimersByTime(1000);
    expect(writes.length).toBe(drawn);
  });

  it('redacts what is drawn', () => {
    const block = open();
    block.follow({...started, subject: 's3cret'});
    vi.advanceTimersByTime(200);
    block.close();
    expect(writes.join('')).toContain('apply [redacted]');
    expect(writes.join('')).not.toContain('s3cret');
  });
});
