// One sentence for each event, for the generated reference. An event without one doesn't compile.
import type {EventType} from './event.ts';

export const eventMeanings: Readonly<Record<EventType, string>> = {
  'run.started': 'A run begins; all phases and steps that it may take are listed.',
  'plan.ready': 'A plan was computed; `changes` and `unchanged` count hosts.',
  'phase.started': 'The first step of a phase begins.',
  'phase.finished': 'The last step of a phase ended.',
  'step.started': 'A step begins, with its check.',
  'step.finished': 'A step ended; `problem` says why when it failed.',
  'step.output': 'A line that the work of a step printed.',
  'transfer.progressed': 'More bytes of a transfer to a host are there.',
  'condition.changed': 'A condition of the cluster, a node or a reconciler changed.',
  'host.unreachable': "A host can't be reached and is left out.",
  'question.asked': 'A question was asked and answered.',
  'warning.raised': "Something that the run doesn't stop for.",
  'run.finished': 'The run is over, with what became of each host.',
};
