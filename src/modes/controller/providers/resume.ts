// What an earlier run was for, from its ledger: steps are called LABEL@VERSION/PART.
import type {TriremeEvent} from '../../../kernel/event.ts';
import type {AskedProviders} from './plan-init.ts';
import {type ProviderType, providerTypes, wordOfType} from './provider.ts';

/** The providers that a run of `provider init` was for, in the versions that it had chosen. */
export function askedByRun(events: readonly TriremeEvent[]): AskedProviders {
  const started = events.find((event) => event.type === 'run.started');
  const steps = started?.type === 'run.started' ? started.phases.flatMap((phase) => phase.steps.map(({id}) => id)) : [];
  const asked: Partial<Record<ProviderType, readonly string[]>> = {};
  for (const step of new Set(steps.flatMap((id) => /^([^/]+@v[^/]+)\//.exec(id)?.[1] ?? []))) {
    const [label = '', version = ''] = step.split('@');
    if (label === 'cert-manager') continue;
    const type = typeOfLabel(label);
    const name = type === 'CoreProvider' ? label : label.slice(wordOfType(type).length + 1);
    asked[type] = [...(asked[type] ?? []), `${name}:${version}`];
  }
  // none where the run had none: defaults were chosen then
  for (const type of ['BootstrapProvider', 'ControlPlaneProvider'] as const) asked[type] ??= ['-'];
  return asked;
}

/** The type that a label is of: `control-plane-kubeadm`; a bare name is the core provider's. */
export function typeOfLabel(label: string): ProviderType {
  return providerTypes.find((type) => type !== 'CoreProvider' && label.startsWith(`${wordOfType(type)}-`)) ?? 'CoreProvider';
}
