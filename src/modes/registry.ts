// Which mode drives a cluster. Each is imported only when it's needed.
import {TriremeError} from '../kernel/errors.ts';
import type {DesiredCluster} from '../spec/desired.ts';
import type {Mode, Scope} from './mode.ts';

/** The mode of this cluster. Throws `mode.unsupported`, with the reason, for one that isn't built yet. */
export async function modeFor(cluster: Pick<DesiredCluster, 'document'>): Promise<Mode<unknown, Scope>> {
  const {spec, metadata} = cluster.document;
  if (spec.mode === 'appliance') {
    throw new TriremeError(
      'mode.unsupported',
      `${metadata.name} wants mode appliance: appliance mode (machines boot our own image) comes in a later version.`,
      {
        hints: ['Use spec.mode: agent with hosts of your own, or spec.mode: controller with a management cluster.'],
      },
    );
  }
  if (spec.mode === 'controller') {
    const {controllerMode} = await import('./controller/controller-mode.ts');
    return controllerMode as unknown as Mode<unknown, Scope>;
  }
  const {agentMode} = await import('./agent/agent-mode.ts');
  return agentMode as unknown as Mode<unknown, Scope>;
}

/** What each mode that is built can do, by its name. */
export async function readCapabilities(): Promise<Readonly<Record<string, Mode<unknown, Scope>['capabilities']>>> {
  const [{agentMode}, {controllerMode}] = await Promise.all([import('./agent/agent-mode.ts'), import('./controller/controller-mode.ts')]);
  return {agent: agentMode.capabilities, controller: controllerMode.capabilities};
}
