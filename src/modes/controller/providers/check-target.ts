// What speaks against a set of providers in one management cluster: told before anything is written. Pure.
import {TriremeError} from '../../../kernel/errors.ts';
import type {InstalledProvider} from './inventory.ts';
import {compatibleContracts, currentContract} from './metadata.ts';
import {isSameProvider, labelOf, type Provider} from './provider.ts';

/** A provider as it will be. */
export interface TargetProvider extends Provider {
  readonly version: string;
  readonly namespace: string;
  readonly contract: string;
}

/** Throws `provider.incompatible` unless there is one core provider, and every provider follows a contract that it works with. */
export function requireCompatible(target: readonly TargetProvider[]): void {
  const cores = target.filter(({type}) => type === 'CoreProvider');
  const [core] = cores;
  if (core === undefined || cores.length > 1)
    throw new TriremeError('provider.incompatible', `There must be one core provider, and there ${cores.length === 0 ? 'is none' : `are ${cores.length}`}.`, {
      hints: cores.length === 0 ? ['Install it too: --core cluster-api'] : [`They are in ${cores.map(({namespace}) => namespace).join(', ')}.`],
    });
  const known = compatibleContracts(currentContract);
  if (!known.includes(core.contract))
    throw new TriremeError(
      'provider.incompatible',
      `${labelOf(core)} ${core.version} follows the contract ${core.contract}, which this program doesn't know.`,
      {
        hints: [`It knows ${known.join(' and ')}.`],
      },
    );
  const fitting = compatibleContracts(core.contract);
  const wrong = target.filter((one) => !fitting.includes(one.contract));
  if (wrong.length === 0) return;
  const list = wrong.map((one) => `${labelOf(one)} ${one.version} follows ${one.contract}`).join(', ');
  throw new TriremeError(
    'provider.incompatible',
    `${labelOf(core)} ${core.version} works with providers of the contract ${fitting.join(' or ')}; ${list}. Nothing was written.`,
    {
      hints: ['Choose versions of one contract: NAME:VERSION', 'What there is: trireme provider list'],
      details: {contract: core.contract, incompatible: wrong.map((one) => ({provider: labelOf(one), version: one.version, contract: one.contract}))},
    },
  );
}

/** Throws `provider.conflict` for a provider that is there in another version or namespace. */
export function requireFree(wanted: readonly TargetProvider[], installed: readonly InstalledProvider[]): void {
  for (const one of wanted) {
    const there = installed.find((other) => isSameProvider(one, other) && (other.version !== one.version || other.namespace !== one.namespace));
    if (there === undefined) continue;
    throw new TriremeError('provider.conflict', `${labelOf(one)} is installed already: ${there.version} in namespace ${there.namespace}.`, {
      hints:
        there.version === one.version
          ? ['One management cluster has one of each provider. Leave --target-namespace out.']
          : [`Another version: trireme provider upgrade ${labelOf(one)}:${one.version}`],
    });
  }
}
