// The table action, command, intent. A new command that people shall have on the screens is one row here.
import type {RunOutcome} from '../kernel/event.ts';
import type {Action, ActionInput, Subject} from './action.ts';

const wait: ActionInput = {kind: 'choice', id: 'wait', title: 'Follow it until it is done', flag: 'wait', preset: true, isUsual: true};
/** Of commands that wait unless told otherwise. */
const waitOrNot: ActionInput = {...wait, allowNo: true};
const duration = {pattern: /^\d+(s|m|h)$/, wanted: 'a number and its unit: 90s, 10m, 1h'};
const leaving: ActionInput = {kind: 'names', id: 'leaving', title: 'Names of hosts that leave', flag: 'confirm'};
const onHosts = {modes: ['agent', 'appliance'], reason: 'in controller mode machines have no agent of ours'};
const bySsh = {modes: ['agent', 'appliance'], reason: "in controller mode machines aren't reached by SSH"};

const isGood = (outcome: RunOutcome | undefined) => outcome === 'succeeded' || outcome === 'unchanged';
const paused = (subject: Subject) => (subject.about === 'cluster' ? subject.view?.paused : undefined);

export const actions: readonly Action[] = [
  // clusters
  {
    id: 'cluster scale',
    title: 'Scale',
    key: '=',
    about: 'cluster',
    command: ['cluster', 'scale'],
    verb: 'scale',
    inputs: [{kind: 'counts', id: 'counts', title: 'Machines'}, wait],
    kind: 'run',
  },
  {
    id: 'cluster upgrade',
    title: 'Upgrade',
    key: 'u',
    about: 'cluster',
    command: ['cluster', 'upgrade'],
    verb: 'upgrade',
    inputs: [
      {
        kind: 'text',
        id: 'to',
        title: 'To which version',
        flag: 'to',
        required: true,
        pattern: /^v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?$/,
        wanted: 'a version such as v1.36.3',
      },
      wait,
    ],
    kind: 'run',
    many: true,
  },
  {
    id: 'cluster pause',
    title: 'Pause',
    key: 'p',
    about: 'cluster',
    command: ['cluster', 'pause'],
    verb: 'pause',
    idle: (subject) => (paused(subject) === true ? "it's paused already" : undefined),
    inputs: [],
    kind: 'run',
    many: true,
  },
  {
    id: 'cluster resume',
    title: 'Resume',
    key: 'P',
    about: 'cluster',
    command: ['cluster', 'resume'],
    verb: 'resume',
    idle: (subject) => (paused(subject) === false ? "it isn't paused" : undefined),
    inputs: [],
    kind: 'run',
    many: true,
  },
  {
    id: 'cluster restart',
    title: 'Restart',
    key: 'R',
    about: 'cluster',
    command: ['cluster', 'restart'],
    verb: 'restart',
    inputs: [wait],
    kind: 'run',
    many: true,
  },
  {
    id: 'cluster delete',
    title: 'Delete',
    key: 'D',
    about: 'cluster',
    command: ['cluster', 'delete'],
    verb: 'delete',
    inputs: [waitOrNot, {kind: 'name', id: 'confirm', title: 'Its name', flag: 'confirm'}],
    kind: 'run',
    destructive: true,
  },
  {
    id: 'apply',
    title: 'Apply its file',
    key: 'A',
    about: 'cluster',
    command: ['apply'],
    says: ['-c', 'files'],
    verb: 'converge',
    needsFile: true,
    inputs: [leaving],
    kind: 'run',
    many: true,
  },
  {
    id: 'cluster kubeconfig',
    title: 'Merge its kubeconfig',
    key: 'K',
    about: 'cluster',
    command: ['cluster', 'kubeconfig'],
    inputs: [
      {kind: 'choice', id: 'merge', title: 'Merge it into yours', flag: 'merge', preset: true},
      {kind: 'choice', id: 'switch', title: 'Make it the current context', flag: 'switch', preset: false},
    ],
    kind: 'answer',
    many: true,
  },
  {
    id: 'cluster shell',
    title: 'Shell with its kubeconfig',
    key: '!',
    about: 'cluster',
    command: ['cluster', 'shell'],
    inputs: [{kind: 'words', id: 'words', title: 'Program; none opens your shell'}],
    kind: 'hand-over',
  },
  {
    id: 'agent upgrade',
    title: 'Upgrade its agents',
    key: 'U',
    about: 'cluster',
    command: ['agent', 'upgrade'],
    says: ['-c', 'files'],
    verb: 'agent-upgrade',
    only: onHosts,
    inputs: [],
    kind: 'run',
    many: true,
  },
  {id: 'history of a cluster', title: 'History', key: 'H', about: 'cluster', command: ['history'], says: ['-c'], inputs: [], kind: 'screen'},

  // machines and hosts
  {
    id: 'machine drain',
    title: 'Drain',
    key: 'd',
    about: 'machine',
    command: ['machine', 'drain'],
    verb: 'machine-drain',
    inputs: [
      {kind: 'text', id: 'timeout', title: 'How long pods may take to leave', flag: 'drain-timeout', preset: '10m', ...duration},
      {kind: 'choice', id: 'force', title: 'Evict pods, too, that nobody makes again', flag: 'force', preset: false},
      {kind: 'choice', id: 'emptydir', title: 'Evict pods, too, that lose an emptyDir', flag: 'delete-emptydir-data', preset: false},
    ],
    kind: 'run',
    many: true,
  },
  {
    id: 'machine cordon',
    title: 'Cordon',
    key: 'c',
    about: 'machine',
    command: ['machine', 'cordon'],
    verb: 'machine-cordon',
    inputs: [],
    kind: 'run',
    many: true,
  },
  {
    id: 'machine uncordon',
    title: 'Uncordon',
    key: 'C',
    about: 'machine',
    command: ['machine', 'uncordon'],
    verb: 'machine-uncordon',
    inputs: [],
    kind: 'run',
    many: true,
  },
  {
    id: 'machine replace',
    title: 'Replace',
    key: 'r',
    about: 'machine',
    command: ['machine', 'replace'],
    verb: 'machine-replace',
    inputs: [wait, {kind: 'name', id: 'confirm', title: 'Its name', flag: 'confirm'}],
    // a host is emptied, and joins again as new
    destructive: ['agent', 'appliance'],
    kind: 'run',
    many: true,
  },
  {
    id: 'machine remediate',
    title: 'Remediate',
    key: 'm',
    about: 'machine',
    command: ['machine', 'remediate'],
    verb: 'machine-remediate',
    inputs: [wait],
    kind: 'run',
    many: true,
  },
  {
    id: 'machine delete',
    title: 'Delete',
    key: 'D',
    about: 'machine',
    command: ['machine', 'delete'],
    verb: 'machine-delete',
    inputs: [wait, {kind: 'name', id: 'confirm', title: 'Its name'}],
    kind: 'run',
    destructive: true,
  },
  {
    id: 'host shell',
    title: 'Shell on the host',
    key: '!',
    about: 'machine',
    command: ['host', 'shell'],
    says: ['machine', '-c', 'files'],
    only: bySsh,
    inputs: [],
    kind: 'hand-over',
  },
  {
    id: 'host logs',
    title: 'Logs',
    key: 'L',
    about: 'machine',
    command: ['host', 'logs'],
    says: ['machine', '-c', 'files'],
    only: bySsh,
    inputs: [{kind: 'choice', id: 'follow', title: 'Go on with new lines', flag: 'follow', preset: true}],
    kind: 'screen',
  },

  {
    id: 'host maintain',
    title: 'Maintain',
    key: 'M',
    about: 'machine',
    command: ['host', 'maintain'],
    says: ['--limit', '-c', 'files'],
    verb: 'host-maintain',
    only: bySsh,
    inputs: [{kind: 'words', id: 'words', title: 'Command to run on it as root, out of service', required: true}],
    kind: 'run',
  },
  {
    id: 'host reset',
    title: 'Reset',
    key: 'Z',
    about: 'machine',
    command: ['host', 'reset'],
    says: ['machine', '-c', 'files'],
    only: bySsh,
    inputs: [
      {kind: 'choice', id: 'force', title: 'Although it is a member of a cluster', flag: 'force', preset: false},
      {kind: 'name', id: 'confirm', title: 'Its name', flag: 'confirm'},
    ],
    kind: 'run',
    destructive: true,
  },

  // runs
  {id: 'history of a run', title: 'Replay', key: 'r', about: 'run', command: ['history', '--replay'], inputs: [], kind: 'screen'},
  {
    id: 'apply --resume',
    title: 'Go on with it',
    key: 'A',
    about: 'run',
    command: ['apply', '--resume'],
    says: ['-c', 'files'],
    verb: 'converge',
    needsFile: true,
    idle: (subject) => {
      if (subject.about !== 'run') return undefined;
      if (subject.isSuperseded === true) return 'a newer run of the cluster has taken its place';
      if (subject.state === 'broken-off') return undefined;
      if (subject.state === 'finished') return isGood(subject.outcome) ? 'it has done all that it had to do' : undefined;
      return subject.state === 'running' ? 'it is going on' : "its record can't be read";
    },
    inputs: [leaving],
    kind: 'run',
  },

  // the fleet
  {id: 'history', title: 'History', key: 'H', about: 'fleet', command: ['history'], inputs: [], kind: 'screen'},
];

/** Throws for an id that the table doesn't have: a bug. */
export function requireAction(id: string): Action {
  const found = actions.find((action) => action.id === id);
  if (found === undefined) throw new Error(`There's no action ${id}.`);
  return found;
}
