// What an earlier run was for, from its ledger: steps are called LABEL@VERSION/PART.
import type {TriremeEvent} from '../../../kernel/event.ts';
import type {AskedProviders} from './plan-init.ts';
import type {InstalledProvider} from './inventory.ts';
import {labelOf, type ProviderType, providerTypes, wordOfType} from './provider.ts';

/** `LABEL:VERSION` of all providers that a run was for. */
export function labelsOfRun(events: readonly TriremeEvent[]): readonly string[] {
  const started = events.find((event) => event.type === 'run.started');
  return labelsOfPhases(started?.type === 'run.started' ? started.phases : []);
}

type Phases = readonly {readonly steps: readonly {readonly id: string}[]}[];

function labelsOfPhases(phases: Phases): readonly string[] {
  const steps = phases.flatMap((phase) => phase.steps.map(({id}) => id));
  const found = new Set(steps.flatMap((id) => /^([^/]+@v[^/]+)\/inventory$/.exec(id)?.[1] ?? []));
  return [...found].filter((text) => !text.startsWith('cert-manager@')).map((text) => text.replace('@', ':'));
}

/** The providers that a run of `provider init` was for, in the versions that it had chosen. */
export function askedByRun(events: readonly TriremeEvent[]): AskedProviders {
  return askedByLabels(labelsOfRun(events));
}

/** The providers that a plan of `provider init` installs, or that are there already, in their versions. */
export function askedByPhases(phases: Phases, installed: readonly InstalledProvider[]): AskedProviders {
  return askedByLabels([...new Set([...labelsOfPhases(phases), ...installed.map((one) => `${labelOf(one)}:${one.version}`)])]);
}

function askedByLabels(labels: readonly string[]): AskedProviders {
  const asked: Partial<Record<ProviderType, readonly string[]>> = {};
  for (const text of labels) {
    const type = typeOfLabel(text);
    asked[type] = [...(asked[type] ?? []), type === 'CoreProvider' ? text : text.slice(wordOfType(type).length + 1)];
  }
  // none where the run had none: defaults were chosen then
  for (const type of ['BootstrapProvider', 'ControlPlaneProvider'] as const) asked[type] ??= ['-'];
  return asked;
}

/** The type that a label is of: `control-plane-kubeadm`; a bare name is the core provider's. */
export function typeOfLabel(label: string): ProviderType {
  return providerTypes.find((type) => type !== 'CoreProvider' && label.startsWith(`${wordOfType(type)}-`)) ?? 'CoreProvider';
}
