// A host that is silent for a while: it boots, its cable is mended, its agent is started again by systemd.
import {sleep} from '../../kernel/cancel.ts';
import {isTriremeError} from '../../kernel/errors.ts';
import type {StepContext} from '../../plan/plan.ts';
import type {AgentLink} from '../link.ts';
import type {HostClusterScope} from '../scope.ts';

/** In ms: how long a host may be silent before it's given up, and the pause before it's tried again. */
export const patience = {silence: 2 * 60_000, redial: 1000};

/** What a new dial may mend. */
export function isBrokenLink(error: unknown): boolean {
  return (
    isTriremeError(error) &&
    ['agent.not-answering', 'host.connection-lost', 'host.unreachable', 'host.port-closed', 'host.command-timed-out'].includes(error.code)
  );
}

/** Asks a host's agent something that may be asked twice, again when the link breaks, for as long as a host may be silent. */
export async function askPatiently<T>(context: StepContext<HostClusterScope>, host: string, ask: (link: AgentLink) => Promise<T>): Promise<T> {
  const ending = AbortSignal.any([context.signal, context.stopping]);
  const since = Date.now();
  for (;;) {
    try {
      return await ask(await context.scope.link(host));
    } catch (error) {
      if (!isBrokenLink(error) || ending.aborted || Date.now() - since > patience.silence) throw error;
      await context.scope.forget(host);
    }
    await sleep(patience.redial, ending);
  }
}
