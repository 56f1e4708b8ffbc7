// One run as it was recorded, with every kind of event, the names of hosts and texts chosen so that they can be looked for.
import type {EventBody, EventType, TriremeEvent} from '../../src/kernel/event.ts';

const unreachable = {
  code: 'host.port-closed',
  message: "Can't reach quay over SSH: connection refused on port 22.",
  hints: ['trireme host check quay'],
  exit: 4,
  host: 'quay',
} as const;
const full = {code: 'host.disk-full', message: '/var is full.', hints: ['Free some space.'], exit: 1, host: 'mast'} as const;

const bodies: readonly EventBody[] = [
  {type: 'plan.ready', subject: 'berth', changes: 3, unchanged: 1},
  {
    type: 'run.started',
    operation: 'apply',
    subject: 'berth',
    mode: 'agent',
    simulated: true,
    phases: [
      {
        title: 'Push the agent',
        steps: [
          {id: 'push/bow', title: 'Push the agent', host: 'bow', effect: 'none'},
          {id: 'push/mast', title: 'Push the agent', host: 'mast', effect: 'none'},
          {id: 'push/keel', title: 'Push the agent', host: 'keel', effect: 'none'},
        ],
      },
      {title: 'Join workers', steps: [{id: 'join/mast', title: 'Join', host: 'mast', effect: 'restart'}]},
      {title: 'Wait for health', steps: [{id: 'health', title: 'Wait for health', effect: 'none'}]},
    ],
  },
  {type: 'question.asked', question: 'Apply this to berth?', answer: 'yes'},
  {type: 'host.unreachable', host: 'quay', problem: unreachable},
  {type: 'warning.raised', code: 'clock-skew', message: 'The clock of bow is 3 s ahead.', host: 'bow', hints: ['Start a time service.']},
  {type: 'phase.started', phase: 'Push the agent', steps: 3},
  {type: 'step.started', step: 'push/bow', title: 'Push the agent', phase: 'Push the agent', host: 'bow'},
  {type: 'transfer.progressed', host: 'bow', name: 'runtime', sent: 1024, total: 4096},
  {type: 'transfer.progressed', host: 'bow', name: 'runtime', sent: 4096, total: 4096},
  {type: 'step.started', step: 'push/mast', title: 'Push the agent', phase: 'Push the agent', host: 'mast'},
  {type: 'step.output', step: 'push/mast', host: 'mast', stream: 'stderr', line: 'tee: No space left on device'},
  {type: 'step.finished', step: 'push/bow', title: 'Push the agent', phase: 'Push the agent', host: 'bow', outcome: 'done', ms: 1200, summary: '84 MiB sent'},
  {type: 'step.finished', step: 'push/mast', title: 'Push the agent', phase: 'Push the agent', host: 'mast', outcome: 'failed', ms: 300, problem: full},
  {type: 'step.started', step: 'push/keel', title: 'Push the agent', phase: 'Push the agent', host: 'keel'},
  {type: 'step.finished', step: 'push/keel', title: 'Push the agent', phase: 'Push the agent', host: 'keel', outcome: 'satisfied', ms: 20},
  {type: 'phase.finished', phase: 'Push the agent', done: 1, satisfied: 1, failed: 1, ms: 1300},
  {type: 'phase.started', phase: 'Join workers', steps: 1},
  {type: 'step.finished', step: 'join/mast', title: 'Join', phase: 'Join workers', host: 'mast', outcome: 'skipped', ms: 0},
  {type: 'phase.finished', phase: 'Join workers', done: 0, satisfied: 0, failed: 0, ms: 1},
  {type: 'phase.started', phase: 'Wait for health', steps: 1},
  {type: 'step.started', step: 'health', title: 'Wait for health', phase: 'Wait for health'},
  {type: 'condition.changed', subject: 'bow', condition: 'kubelet', status: 'false', reason: 'working', message: 'Write its configuration', host: 'bow'},
  {type: 'condition.changed', subject: 'berth', condition: 'ApiReady', status: 'true', reason: 'Answers'},
  {type: 'step.finished', step: 'health', title: 'Wait for health', phase: 'Wait for health', outcome: 'done', ms: 900},
  {type: 'phase.finished', phase: 'Wait for health', done: 1, satisfied: 0, failed: 0, ms: 900},
  {
    type: 'run.finished',
    outcome: 'failed',
    ms: 2400,
    hosts: [
      {host: 'quay', outcome: 'unreachable', problem: unreachable},
      {host: 'bow', outcome: 'changed'},
      {host: 'mast', outcome: 'failed', problem: full},
      {host: 'keel', outcome: 'unchanged'},
    ],
    problem: full,
  },
];

export const recordedRun: readonly TriremeEvent[] = bodies.map(
  (body, index) =>
    ({...body, seq: index + 1, at: new Date(Date.UTC(2026, 10, 23, 12, 0, 0, index * 100)).toISOString(), run: '20261123-120000-beef'}) as TriremeEvent,
);

/** Which kinds of event are in the recording: all of them, or the gate proves nothing. */
export const recordedTypes: ReadonlySet<EventType> = new Set(recordedRun.map((event) => event.type));
