// The scale of what a change costs.
import {effects, type Effect} from '../kernel/event.ts';

/** The costliest of several effects; `none` of nothing. */
export function highestEffect(list: Iterable<Effect>): Effect {
  let highest: Effect = 'none';
  for (const effect of list) if (effects.indexOf(effect) > effects.indexOf(highest)) highest = effect;
  return highest;
}

/** What each effect means, for plans, help and documentation. */
export const effectMeanings: Readonly<Record<Effect, string>> = {
  none: 'nothing is interrupted',
  reload: 'a setting is read anew; nothing restarts',
  restart: 'a service of the host restarts; pods keep running',
  drain: 'pods are moved off the host first',
  reboot: 'the host reboots',
  replace: 'the machine is replaced by a new one',
};
