// Everything that runs: the kubelet, pods with all their processes, the container runtime, their cgroups.
import {readdir, readlink, readFile, rmdir} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {sleep} from '../../kernel/cancel.ts';
import {waitFor} from '../../kernel/retry.ts';
import {mapPool} from '../../kernel/pool.ts';
import {isMissing, lastLine, type HostSystem} from '../host-system.ts';
import {endpointContainer} from '../distributions/kubeadm/render-endpoint.ts';
import type {ResetLog} from './report.ts';

/** In ms. */
const times = {unit: 120_000, task: 20_000, end: 10_000};
const namespace = 'k8s.io';

/** Ends all of it. `programs` are the paths that we installed. */
export async function endWorkloads(host: HostSystem, programs: readonly string[], log: ResetLog): Promise<void> {
  const ours = (name: string) => programs.find((path) => basename(path) === name);
  if (ours('kubelet') !== undefined) await stopUnit(host, 'kubelet.service', log);
  const ctr = ours('ctr');
  if (ctr !== undefined) {
    await log.attempt("the endpoint's address", () => giveUpEndpoint(host, ctr));
    await log.attempt('pods', () => endTasks(host, ctr, log));
  }
  if (ours('containerd') !== undefined) await stopUnit(host, 'containerd.service', log);
  // shims outlive their containerd, and pods their shims
  const shim = ours('containerd-shim-runc-v2');
  await log.attempt('processes of pods', () => killAll(shim, log));
  await log.attempt('cgroups of pods', async () => removeGroups(host, log));
}

async function stopUnit(host: HostSystem, unit: string, log: ResetLog): Promise<void> {
  await log.attempt(unit, async () => {
    if (!(await host.exists(`/etc/systemd/system/${unit}`))) return;
    const result = await host.run('systemctl', ['disable', '--now', '--quiet', unit], {deadline: times.unit});
    if (result.code !== 0) throw new Error(lastLine(result));
    await host.run('systemctl', ['reset-failed', unit], {deadline: times.unit});
    log.removed(unit);
  });
}

/** Asked to end while its API server still runs, who serves the endpoint gives it to another at once; killed, it would be missed first. */
async function giveUpEndpoint(host: HostSystem, ctr: string): Promise<void> {
  const run = (...args: readonly string[]) => host.run(ctr, ['-n', namespace, ...args], {deadline: times.task});
  const labels = `labels."io.kubernetes.container.name"==${endpointContainer},labels."io.kubernetes.pod.namespace"==kube-system`;
  const ids = (await run('containers', 'ls', '-q', labels)).stdout.split('\n').filter((id) => id !== '');
  for (const id of ids) await run('tasks', 'kill', '--signal', 'SIGTERM', id);
  const haveEnded = async () => {
    const running = (await run('tasks', 'ls')).stdout.split('\n').map((line) => line.trim().split(/\s+/));
    return ids.every((id) => !running.some(([task, , status]) => task === id && status === 'RUNNING')) ? true : undefined;
  };
  if (ids.length > 0) await waitFor(haveEnded, {timeout: times.end, interval: 200});
}

async function endTasks(host: HostSystem, ctr: string, log: ResetLog): Promise<void> {
  const run = (...args: readonly string[]) => host.run(ctr, ['-n', namespace, ...args], {deadline: times.task});
  const list = await run('tasks', 'ls', '-q');
  if (list.code !== 0) return; // no runtime runs: nothing that it could tell of
  const ids = list.stdout.split('\n').filter((line) => line !== '');
  await mapPool(ids, 8, async (id) => {
    await run('tasks', 'kill', '--all', '--signal', 'SIGKILL', id);
  });
  if (ids.length > 0) log.removed(`${ids.length} container${ids.length === 1 ? '' : 's'}`);
}

/** Processes of this host's own pid namespace that a shim is, or that are in a pod's cgroup. */
async function findProcesses(shim: string | undefined): Promise<readonly number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const exe = await readlink(`/proc/${name}/exe`).catch(() => '');
    const groups = await readFile(`/proc/${name}/cgroup`, 'utf8').catch(() => '');
    if ((shim !== undefined && exe.replace(/ \(deleted\)$/, '') === shim) || /[/:]kubepods(\.slice)?\b/.test(groups)) found.push(Number(name));
  }
  return found.filter((pid) => pid !== process.pid);
}

async function killAll(shim: string | undefined, log: ResetLog): Promise<void> {
  const until = Date.now() + times.end;
  const killed = new Set<number>();
  for (;;) {
    const left = await findProcesses(shim);
    if (left.length === 0) break;
    if (Date.now() > until) throw new Error(`${left.length} processes don't end: ${left.join(', ')}`);
    for (const pid of left) {
      killed.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        continue; // it ended by itself
      }
    }
    await sleep(100);
  }
  if (killed.size > 0) log.removed(`${killed.size} process${killed.size === 1 ? '' : 'es'} of pods`);
}

async function removeGroups(host: HostSystem, log: ResetLog): Promise<void> {
  const slice = await host.run('systemctl', ['is-active', '--quiet', 'kubepods.slice'], {deadline: times.unit});
  if (slice.code === 0) await host.run('systemctl', ['stop', 'kubepods.slice'], {deadline: times.unit});
  const base = '/sys/fs/cgroup';
  // version 1 has a folder per hierarchy, version 2 is one
  const hierarchies = [base, ...(await foldersIn(base))];
  for (const hierarchy of hierarchies) {
    for (const folder of await foldersIn(hierarchy)) {
      if (!/^kubepods(\.slice)?$/.test(basename(folder))) continue;
      // a process that was killed is in its group until the kernel has taken it apart
      const isGone = await waitFor(async () => ((await removeGroup(folder)) ? true : undefined), {timeout: times.end, interval: 200});
      if (isGone === true) log.removed(folder);
      else log.kept(folder, "the kernel doesn't let go of it yet; it is empty, and gone after the next boot");
    }
  }
}

/** From the leaves up; false while one can't be removed. */
async function removeGroup(folder: string): Promise<boolean> {
  for (const child of await foldersIn(folder)) await removeGroup(child);
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    return isMissing(error);
  }
}

async function foldersIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder, {withFileTypes: true})).filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
