// The Kubernetes API of a host cluster, asked for by a control plane's agent: no port is opened for it, and no kubeconfig leaves the host.
import {sleep} from '../kernel/cancel.ts';
import {isTriremeError, TriremeError} from '../kernel/errors.ts';
import type {KubeApi} from '../kube/api.ts';
import {connectThrough} from '../kube/client.ts';
import {NoAnswer, type HttpAnswer, type HttpRequest} from '../kube/transport.ts';
import type {HostClusterScope} from './scope.ts';

export interface AgentApiOptions {
  /** Hosts that may be asked, in order; the last one that answered is asked first. */
  readonly controlPlanes: readonly string[];
  readonly signal: AbortSignal;
  readonly simulated?: boolean;
  /** How long a server may take after its start until it has read who may do what, in ms. */
  readonly settling?: number;
}

/** A client of the cluster's API through whichever control plane's agent answers. */
export function apiThroughAgents(scope: Pick<HostClusterScope, 'link' | 'forget'>, options: AgentApiOptions): KubeApi {
  const {controlPlanes, signal, settling = 60_000} = options;
  let last: string | undefined;
  const call = async (request: HttpRequest): Promise<HttpAnswer> => {
    let failure: unknown;
    for (const host of last === undefined ? controlPlanes : [last, ...controlPlanes.filter((one) => one !== last)]) {
      try {
        const answer = await askAllowed(scope, host, request, settling);
        last = host;
        return answer;
      } catch (error) {
        request.signal.throwIfAborted();
        if (!isSilence(error)) throw error;
        failure = error;
      }
    }
    throw new NoAnswer(failure instanceof Error ? failure : nobody(), true);
  };
  return connectThrough({
    server: 'the Kubernetes API',
    context: `the agents on ${controlPlanes.join(', ')}`,
    simulated: options.simulated === true,
    signal,
    call,
  });
}

/** In ms. */
const interval = 500;

/** The agents ask as administrators: a server that forbids them something has just started, and nothing was done. Other refusals only come later by this. */
async function askAllowed(scope: Pick<HostClusterScope, 'link' | 'forget'>, host: string, request: HttpRequest, settling: number): Promise<HttpAnswer> {
  const started = performance.now();
  for (;;) {
    const answer = await askThrough(scope, host, request);
    if (answer.status !== 403 || performance.now() - started >= settling) return answer;
    await sleep(Math.min(interval, settling), request.signal);
  }
}

async function askThrough(scope: Pick<HostClusterScope, 'link' | 'forget'>, host: string, request: HttpRequest): Promise<HttpAnswer> {
  const {method, path, headers, body, signal} = request;
  const question = {method, path, ...(headers === undefined ? {} : {headers}), ...(body === undefined ? {} : {body})};
  try {
    return await (await scope.link(host)).kubernetes(question, {signal});
  } catch (error) {
    // the connection may have gone with the host: the next question dials anew
    if (isSilence(error) && !signal.aborted) await scope.forget(host);
    throw error;
  }
}

/** No answer of the agent, of the way to it, or of the API behind it: another control plane may have one. */
function isSilence(error: unknown): boolean {
  return (
    isTriremeError(error) &&
    [
      'agent.not-answering',
      'agent.not-installed',
      'cluster.not-made',
      'host.connection-lost',
      'host.unreachable',
      'host.port-closed',
      'host.command-timed-out',
    ].includes(error.code)
  );
}

function nobody(): TriremeError {
  return new TriremeError('cluster.not-made', 'No control plane of the cluster is known.', {hints: ['trireme status']});
}
