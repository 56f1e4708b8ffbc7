import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {EventLog} from '../../../src/agentd/event-log.ts';
import {Manager} from '../../../src/agentd/manager.ts';
import type {AgentStep, Reconciler, Target} from '../../../src/agentd/reconciler.ts';
import {TriremeError} from '../../../src/kernel/errors.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {waitFor} from '../../../src/kernel/retry.ts';
import type {TriremeEvent} from '../../../src/kernel/event.ts';
import {targetFixture, wantedFixture, type TargetFixture} from './agentd-fixture.ts';

/** The world that the reconcilers of these tests look at. */
class World {
  readonly facts = new Map<string, string>();
  readonly log: string[] = [];

  step(key: string, value: string, over: Partial<AgentStep> = {}): AgentStep {
    return {
      id: key,
      title: `Set ${key}`,
      subject: key,
      effect: 'none',
      check: async () => (this.facts.get(key) === value ? 'satisfied' : 'needed'),
      apply: async () => {
        this.log.push(`${key}=${value}`);
        this.facts.set(key, value);
      },
      found: async () => this.facts.get(key) ?? 'missing',
      ...over,
    };
  }
}

const one = (name: string, steps: Reconciler['steps'], over: Partial<Reconciler> = {}): Reconciler => ({
  name,
  needs: [],
  inputs: [],
  outputs: [name],
  interval: 20,
  steps,
  ...over,
});

let fixture: TargetFixture;
let manager: Manager;
let events: EventLog;
const seen: TriremeEvent[] = [];

async function begin(reconcilers: readonly Reconciler[], over: Parameters<typeof targetFixture>[0] = {}): Promise<void> {
  fixture = await targetFixture(over);
  seen.length = 0;
  events = new EventLog({path: join(fixture.root, 'events.ndjson'), redactor: new Redactor()});
  events.follow((event) => seen.push(event));
  manager = new Manager({events, build: 'test', onChange: () => {}});
  manager.setTarget(fixture.target, reconcilers);
}

const until = async (what: string, look: () => boolean) => {
  if ((await waitFor(async () => look() || undefined, {timeout: 5000, interval: 5})) === undefined)
    throw new Error(`waited in vain until ${what}: ${JSON.stringify(manager.states)}`);
};
const status = (name: string) => manager.states.find((state) => state.name === name);
const retarget = (over: Partial<Target>, reconcilers: readonly Reconciler[]) => manager.setTarget({...fixture.target, ...over}, reconcilers);

afterEach(async () => {
  await manager.stop();
  await fixture.remove();
});

describe('the manager', () => {
  it('does what is missing once, in the order of needs, and then nothing', async () => {
    const world = new World();
    await begin([
      one('late', () => [world.step('b', '1')], {needs: ['early', 'not in the list']}),
      one('early', () => [world.step('a', '1'), world.step('a2', '1')]),
    ]);
    await until('converged', () => manager.converged);
    expect(world.log).toEqual(['a=1', 'a2=1', 'b=1']);
    const count = seen.length;
    const lookedAt = world.facts.size;
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect([world.log.length, seen.length, world.facts.size]).toEqual([3, count, lookedAt]);
  });

  it('waits without holding up those that need nothing of it', async () => {
    const world = new World();
    let open = false;
    await begin([
      one('gate', () => [world.step('g', '1')], {waitsFor: async () => (open ? undefined : 'the gate')}),
      one('behind', () => [world.step('b', '1')], {needs: ['gate']}),
      one('free', () => [world.step('f', '1')]),
    ]);
    await until('the free one is done', () => status('free')?.status === 'done');
    expect(status('gate')).toMatchObject({status: 'waiting', message: 'the gate'});
    expect(status('behind')).toMatchObject({status: 'waiting', message: 'waits for: gate'});
    expect(manager.converged).toBe(false);
    open = true;
    await until('converged', () => manager.converged);
    expect(world.log).toEqual(['f=1', 'g=1', 'b=1']);
  });

  it('tells why it failed and tries again', async () => {
    const world = new World();
    let broken = true;
    const apply = async () => {
      if (broken) throw new TriremeError('agent.failed', 'The disk is on fire.', {hints: ['Put it out.']});
      world.facts.set('x', '1');
    };
    await begin([one('x', () => [world.step('x', '1', {apply}), world.step('y', '1')])]);
    await until('it has failed', () => status('x')?.status === 'failed');
    expect(status('x')).toMatchObject({message: 'The disk is on fire.', attempts: 1});
    expect(world.log).toEqual([]);
    broken = false;
    await until('it is done', () => status('x')?.status === 'done');
    expect(status('x')?.attempts).toBe(0);
    expect(seen.filter((event) => event.type === 'run.finished').map((event) => event.outcome)).toEqual(['failed', 'succeeded']);
  });

  it('repairs what drifted and records how it was found', async () => {
    const world = new World();
    await begin([one('kernel', () => [world.step('ip_forward', '1')], {area: 'sysctls'})]);
    await until('converged', () => manager.converged);
    expect(manager.drift).toEqual([]);
    world.facts.set('ip_forward', '0');
    await until('it is repaired', () => world.facts.get('ip_forward') === '1' && manager.drift.length === 1);
    expect(manager.drift).toMatchObject([{area: 'sysctls', subject: 'ip_forward', found: '0', outcome: 'repaired'}]);
    expect(seen.some((event) => event.type === 'warning.raised' && event.code === 'drift.found')).toBe(true);
  });

  it('only reports drift once while it lasts, where the policy says report', async () => {
    const world = new World();
    await begin([one('kernel', () => [world.step('ip_forward', '1')], {area: 'sysctls'})], {drift: {...wantedFixture().drift, sysctls: 'report'}});
    await until('converged', () => manager.converged);
    world.facts.set('ip_forward', '0');
    await until('it is reported', () => manager.drift.length === 1 && status('kernel')?.message !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(manager.drift).toMatchObject([{subject: 'ip_forward', outcome: 'reported'}]);
    expect(status('kernel')).toMatchObject({status: 'done', message: 'drift reported, not repaired: ip_forward'});
    world.facts.set('ip_forward', '1');
    await until('it is forgotten', () => manager.drift.length === 0);
  });

  it('takes a change of the document for work, not for drift', async () => {
    const world = new World();
    const make = (value: string) => [one('kernel', () => [world.step('k', value)], {area: 'sysctls', inputs: ['configuration.sysctls']})];
    await begin(make('1'));
    await until('converged', () => manager.converged);
    retarget({wanted: wantedFixture({configuration: {...wantedFixture().configuration, sysctls: {k: '2'}}})}, make('2'));
    expect(manager.converged).toBe(false);
    await until('converged', () => manager.converged);
    expect(world.log).toEqual(['k=1', 'k=2']);
    expect(manager.drift).toEqual([]);
  });

  it('goes on repairing behind one that was done and then fails', async () => {
    const world = new World();
    let broken = false;
    const reconcilers = [
      one('base', () => [
        world.step('base', '1', {
          check: async () => (broken ? 'needed' : 'satisfied'),
          apply: async () => Promise.reject(new TriremeError('agent.failed', 'No.')),
        }),
      ]),
      one('kubelet', () => [world.step('kubelet', '1')], {needs: ['base'], area: 'kubelet'}),
    ];
    await begin(reconcilers);
    await until('converged', () => manager.converged);
    broken = true;
    await until('the base has failed', () => status('base')?.status === 'failed');
    world.facts.delete('kubelet');
    await until('the kubelet is repaired', () => world.facts.get('kubelet') === '1');
    expect(status('base')?.status).not.toBe('done');
  });

  it('looks at once when it is hurried', async () => {
    const world = new World();
    await begin([one('slow', () => [world.step('s', '1')], {area: 'files', interval: 60_000})]);
    await until('converged', () => manager.converged);
    world.facts.delete('s');
    manager.hurry(['slow']);
    await until('it is repaired', () => manager.drift.length === 1);
    expect(world.facts.get('s')).toBe('1');
  });

  it('looks once more after the work that it is at', async () => {
    const world = new World();
    let looks = 0;
    let finish = () => {};
    const going = new Promise<void>((resolve) => (finish = resolve));
    const step = world.step('s', '1');
    const check: AgentStep['check'] = async (context) => {
      looks += 1;
      return step.check(context);
    };
    const apply: AgentStep['apply'] = async (context) => {
      await going;
      return step.apply(context);
    };
    await begin([one('slow', () => [{...step, check, apply}], {interval: 60_000})]);
    await until('it works', () => status('slow')?.status === 'working');
    const before = looks;
    manager.again('slow');
    finish();
    await until('it has looked again', () => looks > before && manager.converged);
    expect(world.log).toEqual(['s=1']);
  });

  it('asks after each look when to look next', async () => {
    let looks = 0;
    const look = (): readonly AgentStep[] => {
      looks += 1;
      return [];
    };
    // soon again until the third look, and then not before tomorrow
    const asked: number[] = [];
    const interval = () => {
      asked.push(looks);
      return looks < 3 ? 5 : 86_400_000;
    };
    await begin([one('often', look, {interval})]);
    await until('it has looked three times', () => looks === 3 && asked.length === 3);
    manager.hurry(['often']);
    await until('it was hurried', () => asked.length === 4);
    expect(asked).toEqual([1, 2, 3, 4]);
  });
});
