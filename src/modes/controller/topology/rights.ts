// Refuses to begin to write without the rights for it.
import {TriremeError} from '../../../kernel/errors.ts';
import type {TopologyFacts} from './facts.ts';

/** Throws `api.forbidden`, naming every missing right as verb, resource and namespace. */
export function requireRights(facts: Pick<TopologyFacts, 'missingRights'>): void {
  const {missingRights} = facts;
  if (missingRights.length === 0) return;
  const named = missingRights.map(({verb, group, resource, namespace}) => {
    const what = group === '' ? resource : `${resource}.${group}`;
    return `${verb} ${what}${namespace === undefined ? ' (in the whole cluster)' : ` in the namespace ${namespace}`}`;
  });
  throw new TriremeError('api.forbidden', `This user may not: ${named.join('; ')}.`, {
    hints: ['Ask for these rights, or choose other credentials with --context or spec.controller.context.'],
    details: {missing: missingRights},
  });
}
