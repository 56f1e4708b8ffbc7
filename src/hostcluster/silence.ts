// A host that is silent for a while: it boots, its cable is mended, its agent is started again by systemd.
import {isTriremeError} from '../kernel/errors.ts';

/** In ms: how long a host may be silent before it's given up, and the pause before it's tried again. */
export const patience = {silence: 2 * 60_000, redial: 1000};

/** What a new dial may mend. */
export function isBrokenLink(error: unknown): boolean {
  return (
    isTriremeError(error) &&
    ['agent.not-answering', 'host.connection-lost', 'host.unreachable', 'host.port-closed', 'host.command-timed-out'].includes(error.code)
  );
}
