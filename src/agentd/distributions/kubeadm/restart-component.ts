// Ends a static pod's container; the kubelet starts it again at once, with the files that lie on disk now. Its manifest stays as it is.
import {sleep} from '../../../kernel/cancel.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {AgentStepContext} from '../../reconciler.ts';
import type {Reader} from './certificate-files.ts';
import {waitComponentHealthy} from './components.ts';
import {ctr, endContainers, runningContainers} from './containers.ts';

/** In ms: how long it may take to end by itself, and how long the new one has to be well. */
const times = {end: 60_000, steady: 4000};

/** All at once, so that their times away are one. Returns when each of them is well again. */
export async function restartComponents(context: AgentStepContext, names: readonly Reader[]): Promise<void> {
  const {host} = context.scope;
  const old = new Map<Reader, readonly string[]>();
  for (const name of names) old.set(name, await endContainers(host, name));
  for (const name of names) await waitForEnd(context, name, old.get(name) ?? []);
  for (const name of names) await waitComponentHealthy(context, name, times.steady);
}

async function waitForEnd({signal, scope: {host}}: AgentStepContext, name: Reader, old: readonly string[]): Promise<void> {
  const deadline = Date.now() + times.end;
  for (let isForced = false; ;) {
    const left = (await runningContainers(host, name)).filter((id) => old.includes(id));
    if (left.length === 0) return;
    if (!isForced && Date.now() > deadline) {
      isForced = true;
      for (const id of left) await ctr(host, ['tasks', 'kill', '--signal', 'SIGKILL', id]);
    }
    if (Date.now() > deadline + times.end)
      throw new TriremeError('agent.failed', `${name} on ${host.name} doesn't end.`, {
        host: host.name,
        hints: ['On the host: crictl ps', 'journalctl -u containerd -n 50'],
      });
    await sleep(250, signal);
  }
}
