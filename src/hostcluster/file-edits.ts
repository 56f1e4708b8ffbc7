// What the verbs change in the file of a cluster of hosts. Pure.
import type {Edit} from '../spec/edit-text.ts';

/** The version that the file wants. */
export function hostUpgradeEdits(to: string): readonly Edit[] {
  return [{path: ['spec', 'kubernetes', 'version'], value: to, after: ['distribution']}];
}
