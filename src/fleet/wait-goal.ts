// What a wait is for: health, a condition as in kubectl wait, or that the cluster is gone. Pure.
import type {ClusterView} from '../modes/mode.ts';
import {TriremeError} from '../kernel/errors.ts';

export interface WaitGoal {
  /** `healthy`, `condition Available`, `deletion`. */
  readonly title: string;
  /** `view` is undefined when the cluster isn't there. */
  isMet(view: ClusterView | undefined): boolean;
  /** What is missing, in a sentence without its end. */
  missing(view: ClusterView | undefined): string;
}

/** `healthy`, `delete`, `condition=TYPE` or `condition=TYPE=STATUS`. Throws `usage.invalid`. */
export function parseGoal(text: string): WaitGoal {
  if (text === 'healthy') {
    return {title: 'healthy', isMet: (view) => view?.health === 'healthy', missing: (view) => (view === undefined ? "it isn't there" : whyNot(view))};
  }
  if (text === 'delete') {
    return {
      title: 'deleted',
      isMet: (view) => view === undefined,
      missing: (view) => (view?.deletion === undefined ? 'nobody deletes it' : [view.now ?? 'being deleted', ...view.deletion.blockedBy].join('; ')),
    };
  }
  const match = /^condition=([^=]+)(?:=(.+))?$/.exec(text);
  if (match === null) throw new TriremeError('usage.invalid', `--for takes healthy, delete, condition=TYPE or condition=TYPE=STATUS, not ${text}.`);
  const [, type = '', status = 'True'] = match;
  const found = (view: ClusterView | undefined) => view?.conditions.find((one) => one.type.toLowerCase() === type.toLowerCase());
  const statusOf = (view: ClusterView | undefined) => {
    const condition = found(view);
    return condition === undefined ? undefined : (condition.status ?? (condition.ready ? 'True' : 'False'));
  };
  return {
    title: `condition ${type}${status === 'True' ? '' : ` ${status}`}`,
    isMet: (view) => statusOf(view)?.toLowerCase() === status.toLowerCase(),
    missing: (view) => {
      if (view === undefined) return "it isn't there";
      const condition = found(view);
      if (condition === undefined) return `it has no condition ${type}; there are ${view.conditions.map((one) => one.type).join(', ') || 'none'}`;
      const {reason, message} = condition;
      return `${condition.type} is ${statusOf(view) ?? ''}${reason === undefined ? '' : ` (${reason})`}${message === undefined ? '' : `: ${message}`}`;
    },
  };
}

function whyNot(view: ClusterView): string {
  return view.reasons.slice(0, 3).join('; ') || view.now || `it is ${view.health}`;
}
