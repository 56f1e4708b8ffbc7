// The table of actions on hosts: each that agent mode has is done on one sandbox by the desk, as the screens do it, and on its twin by the command that
// a person would type. Both must leave the same journal. On simulated hosts (SIMULATED).
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {join} from 'node:path';
import type {Answers, Subject} from '../../src/actions/action.ts';
import {createDesk, type Desk} from '../../src/actions/desk.ts';
import {offerOf} from '../../src/actions/offers.ts';
import {actions, requireAction} from '../../src/actions/table.ts';
import {waitFor} from '../../src/kernel/retry.ts';
import {agentMode} from '../../src/modes/agent/agent-mode.ts';
import {listRuns, readRun, type RunRecord} from '../../src/plan/ledger.ts';
import {makeNextRelease, type NextRelease} from '../support/next-release.ts';
import {startTestSandbox, type TestSandbox} from '../support/sandbox-run.ts';
import {program} from '../support/trireme.ts';

const host = 'w1';
const stateOf = ({env}: TestSandbox) => join(env['XDG_STATE_HOME'] ?? '', 'trireme');

/**
 * Whether a new agent is content before it's asked for the first time, or seen to become so, is a matter of milliseconds; so it is with a host that has
 * come to its end while another's agent was still being started.
 */
function outcomeOf({step, outcome}: {readonly step: string; readonly outcome: string}): string {
  return /^(settle|converge):/.test(step) && outcome === 'satisfied' ? 'done' : outcome;
}

/** Which steps there were and what became of each; hosts work side by side, so the order among them is nobody's. */
async function journalOf(sandbox: TestSandbox): Promise<unknown> {
  const folder = stateOf(sandbox);
  const records = await Promise.all((await listRuns(folder)).slice(0, 5).map((run) => readRun(folder, run)));
  const {header, events} = records.toSorted((a, b) => (a.header.startedAt < b.header.startedAt ? 1 : -1))[0] as RunRecord;
  return {
    head: {operation: header.operation, cluster: header.cluster, mode: header.mode},
    events: events
      .flatMap((event): readonly unknown[] => {
        if (event.type === 'run.started') return [{type: event.type, subject: event.subject, phases: event.phases}];
        if (event.type === 'step.finished') return [{type: event.type, step: event.step, host: event.host, phase: event.phase, outcome: outcomeOf(event)}];
        if (event.type === 'run.finished') return [{type: event.type, outcome: event.outcome, hosts: event.hosts}];
        return [];
      })
      .map((event) => JSON.stringify(event))
      .toSorted(),
  };
}

/** `later`: by a later build of the program, which brings another agent. */
const deeds: Readonly<Record<string, {readonly answers?: Answers; readonly byHand: string; readonly later?: boolean}>> = {
  apply: {byHand: 'apply --yes'},
  'agent upgrade': {byHand: 'agent upgrade --yes', later: true},
  'machine cordon': {byHand: `machine cordon ${host} --yes`, later: true},
  'machine uncordon': {byHand: `machine uncordon ${host} --yes`, later: true},
  'host maintain': {answers: {words: ['true']}, byHand: `host maintain --limit ${host} --yes -- true`, later: true},
  'machine replace': {answers: {confirm: host}, byHand: `machine replace ${host} --confirm ${host} --yes`, later: true},
  'host reset': {answers: {force: true, confirm: host}, byHand: `host reset ${host} --force --confirm ${host}`, later: true},
  'cluster delete': {answers: {confirm: 'harbour'}, byHand: 'cluster delete --confirm harbour', later: true},
};

describe('each action on hosts does what its command does', {timeout: 300_000}, () => {
  let screen: TestSandbox;
  let hand: TestSandbox;
  let next: NextRelease;
  let desk: Desk;
  let laterDesk: Desk;

  beforeAll(async () => {
    [screen, hand] = await Promise.all([startTestSandbox({controlPlanes: 1, workers: 1}), startTestSandbox({controlPlanes: 1, workers: 1})]);
    next = await makeNextRelease();
    const deskOf = (script: string) =>
      createDesk({
        program: {
          execPath: process.execPath,
          script,
          cwd: screen.home,
          env: {PATH: process.env['PATH'], HOME: screen.home, ...screen.env},
          folder: stateOf(screen),
        },
        modes: {agent: agentMode.capabilities},
      });
    desk = deskOf(program);
    laterDesk = deskOf(next.program);
  });
  afterAll(async () => {
    await screen?.stop();
    await hand?.stop();
    await next?.remove();
  });

  it.each(Object.entries(deeds))('%s', async (id, {answers = {}, byHand, later = false}) => {
    const at = later ? laterDesk : desk;
    const action = requireAction(id);
    const cluster = {name: screen.clusterName, mode: 'agent', files: [screen.file]};
    const subject: Subject = action.about === 'machine' ? {about: 'machine', cluster, machine: host} : {about: 'cluster', cluster};
    expect(offerOf(action, subject, {agent: agentMode.capabilities}).reason).toBeUndefined();
    const [preview] = await at.preview([{action, subject, answers}], new AbortController().signal);
    expect(preview).toMatchObject({plan: {mode: 'agent', simulated: true}});
    const [started] = await at.start([{action, subject, answers}]);
    expect(started).toMatchObject({run: expect.any(String)});
    const ran = await hand.trireme(byHand.split(' '), later ? {program: next.program} : {});
    expect(`${ran.code} ${ran.stderr}`).toMatch(/^0 /);
    const store = at.runs.follow(started?.run ?? '');
    const ended = await waitFor(async () => (store.get().state === 'finished' ? store.get() : undefined), {timeout: 120_000, interval: 100});
    store.stop();
    expect(ended?.view.outcome).toBe('succeeded');
    expect(await journalOf(screen)).toEqual(await journalOf(hand));
  });

  it('says at once when an agent is as it shall be, and that a host which is no member needs no force', async () => {
    const cluster = {name: screen.clusterName, mode: 'agent', files: [screen.file]};
    expect(actions.filter((action) => action.only?.modes.includes('agent')).map((action) => action.id)).toEqual(
      expect.arrayContaining(['agent upgrade', 'host maintain', 'host reset']),
    );
    const [preview] = await desk.preview(
      [{action: requireAction('host reset'), subject: {about: 'machine', cluster, machine: host}, answers: {}}],
      new AbortController().signal,
    );
    expect(preview?.problem).toBeUndefined();
    expect(preview?.plan).toMatchObject({mode: 'agent'});
  });
});
