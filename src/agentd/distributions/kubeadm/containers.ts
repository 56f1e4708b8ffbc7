// Containers of static pods, by what containerd knows of them.
import {TriremeError} from '../../../kernel/errors.ts';
import {lastLine, type HostSystem} from '../../host-system.ts';

/** In ms. */
const commandDeadline = 30_000;

/** Asks the containers of this name to end; returns which they are. */
export async function endContainers(host: HostSystem, name: string): Promise<readonly string[]> {
  const ids = await runningContainers(host, name);
  for (const id of ids) await ctr(host, ['tasks', 'kill', '--signal', 'SIGTERM', id]);
  return ids;
}

/** containerd's own list, by the labels that Kubernetes' part of it writes. */
export async function runningContainers(host: HostSystem, name: string): Promise<readonly string[]> {
  const labels = `labels."io.kubernetes.container.name"==${name},labels."io.kubernetes.pod.namespace"==kube-system`;
  const listed = await ctr(host, ['containers', 'ls', '-q', labels]);
  if (listed.code !== 0)
    throw new TriremeError('agent.failed', `containerd on ${host.name} doesn't list its containers: ${lastLine(listed)}`, {
      host: host.name,
      hints: ['On the host: journalctl -u containerd -n 50'],
    });
  const ids = listed.stdout.split('\n').filter((id) => id !== '');
  if (ids.length === 0) return [];
  const tasks = (await ctr(host, ['tasks', 'ls'])).stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return ids.filter((id) => tasks.some(([task, , status]) => task === id && status === 'RUNNING'));
}

export function ctr(host: HostSystem, args: readonly string[]) {
  return host.run(`${host.bin}/ctr`, ['-n', 'k8s.io', ...args], {deadline: commandDeadline});
}
