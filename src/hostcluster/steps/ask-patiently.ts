// Asking a host's agent although the link to it may break.
import {sleep} from '../../kernel/cancel.ts';
import type {StepContext} from '../../plan/plan.ts';
import type {AgentLink} from '../link.ts';
import type {HostClusterScope} from '../scope.ts';
import {isBrokenLink, patience} from '../silence.ts';

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
