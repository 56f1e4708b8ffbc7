import {describe, expect, it} from 'vitest';
import {createReplay} from '../../../src/fleet/replay.ts';
import {viewOfRun} from '../../../src/fleet/run-view.ts';
import type {TriremeEvent} from '../../../src/kernel/event.ts';
import {recordedRun} from '../../contract/recorded-run.ts';
import {createTestClock} from '../../support/clock.ts';

// the recording has an event each 100 ms
describe('replay', () => {
  const start = () => {
    const clock = createTestClock();
    return {clock, replay: createReplay(recordedRun, clock)};
  };

  it('plays at the pace of the recording', () => {
    const {clock, replay} = start();
    expect(replay.get()).toMatchObject({position: 0, isPlaying: false, total: recordedRun.length, length: (recordedRun.length - 1) * 100});
    replay.play();
    clock.pass(0);
    expect(replay.get().position).toBe(1);
    clock.pass(99);
    expect(replay.get().position).toBe(1);
    clock.pass(1);
    expect(replay.get()).toMatchObject({position: 2, elapsed: 100});
    clock.pass(100 * recordedRun.length);
    expect(replay.get()).toMatchObject({position: recordedRun.length, isPlaying: false, view: viewOfRun(recordedRun)});
    expect(clock.waiting).toBe(0);
  });

  it('stands still while it is paused, and goes on where it was', () => {
    const {clock, replay} = start();
    replay.play();
    clock.pass(250);
    replay.pause();
    clock.pass(10_000);
    expect(replay.get()).toMatchObject({position: 3, isPlaying: false});
    replay.play();
    clock.pass(100);
    expect(replay.get().position).toBe(4);
  });

  it('steps one event on and one back, and pauses', () => {
    const {clock, replay} = start();
    replay.play();
    clock.pass(500);
    const {position} = replay.get();
    replay.step(1);
    expect(replay.get()).toMatchObject({position: position + 1, isPlaying: false, view: viewOfRun(recordedRun.slice(0, position + 1))});
    replay.step(-1);
    replay.step(-1);
    expect(replay.get()).toMatchObject({position: position - 1, view: viewOfRun(recordedRun.slice(0, position - 1))});
    replay.toStart();
    replay.step(-1);
    expect(replay.get()).toMatchObject({position: 0, view: viewOfRun([])});
    expect(replay.get().last).toBeUndefined();
    expect(clock.waiting).toBe(0);
  });

  it('goes faster and slower, within bounds, and keeps what it has waited already', () => {
    const {clock, replay} = start();
    replay.play();
    clock.pass(0);
    replay.faster();
    expect(replay.get().speed).toBe(2);
    clock.pass(500);
    expect(replay.get().position).toBe(11);
    for (let turn = 0; turn < 10; turn += 1) replay.faster();
    expect(replay.get().speed).toBe(50);
    for (let turn = 0; turn < 20; turn += 1) replay.slower();
    expect(replay.get().speed).toBe(0.5);
  });

  it("doesn't make a person sit through an hour in which nothing happened", () => {
    const clock = createTestClock();
    const events = recordedRun.map((event, index) => ({...event, at: new Date(index * 3_600_000).toISOString()}) as TriremeEvent);
    const replay = createReplay(events, clock);
    replay.play();
    clock.pass(0);
    clock.pass(5000);
    expect(replay.get()).toMatchObject({position: 2, elapsed: 3_600_000});
  });

  it('begins anew when it is played after its end', () => {
    const {clock, replay} = start();
    replay.toEnd();
    replay.play();
    clock.pass(100);
    expect(replay.get()).toMatchObject({position: 2, isPlaying: true});
    replay.stop();
    expect(clock.waiting).toBe(0);
  });

  it('tells the time of the recording between two events', () => {
    const {clock, replay} = start();
    replay.play();
    clock.pass(150);
    expect(replay.recordedNow() - Date.parse(recordedRun[0]?.at ?? '')).toBe(150);
  });

  it('has nothing to play in a run that broke off before its first event', () => {
    const clock = createTestClock();
    const replay = createReplay([], clock);
    replay.play();
    clock.pass(1000);
    replay.step(1);
    expect(replay.get()).toMatchObject({position: 0, total: 0, length: 0});
  });
});
