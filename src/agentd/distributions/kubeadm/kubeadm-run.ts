// Runs kubeadm with a configuration that lies on disk only while it runs, for root only, in memory.
import {stripVTControlCharacters} from 'node:util';
import {TriremeError} from '../../../kernel/errors.ts';
import {syncTree} from '../../../kernel/files.ts';
import {fullDiskOf, lastLine, type HostSystem} from '../../host-system.ts';
import type {AgentStepContext} from '../../reconciler.ts';

/** kubeadm's own timeouts are the real bound; this one only ends what hangs for ever. In ms. */
const deadline = 60 * 60 * 1000;
const folder = '/run/trireme/kubeadm';

export interface KubeadmRun {
  readonly args: readonly string[];
  readonly config: string;
  /** What it was to do, for the message: `start the cluster`. */
  readonly purpose: string;
  readonly step: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Its lines are no events. */
  readonly isQuiet?: boolean;
}

/** Runs `kubeadm ARGS --config FILE`; each line is an event. Returns its standard output; throws `agent.failed` with what kubeadm said. */
export async function runKubeadm(context: AgentStepContext, run: KubeadmRun): Promise<string> {
  const {host, wanted} = context.scope;
  const path = `${folder}/${run.args.join('-').replaceAll(/[^a-z-]/g, '')}.yaml`;
  await host.write(path, run.config, '0600');
  try {
    const result = await host.run(`${host.bin}/kubeadm`, [...run.args, '--config', path], {
      deadline,
      signal: context.signal,
      // kubeadm hands these on to the control plane's pods
      env: {...wanted.proxy, ...run.env},
      ...(run.isQuiet === true ? {} : {onLine: (stream, line) => tell(context, run.step, stream, line)}),
    });
    if (result.code === 0) {
      await keepWritten(host);
      return result.stdout;
    }
    const said = complaintOf(result.stderr) ?? lastLine(result);
    throw (
      fullDiskOf(host, 'kubeadm', result.stderr) ??
      new TriremeError('agent.failed', `kubeadm can't ${run.purpose} on ${host.name}: ${said}`, {
        host: host.name,
        hints: [`trireme host logs ${host.name}`, 'On the host: journalctl -u trireme-agent -u kubelet -n 100'],
      })
    );
  } finally {
    await host.remove(path);
  }
}

/**
 * kubeadm and the kubelet don't flush what they write. Without this a power cut after it was noted that a phase is done could leave empty
 * certificates behind that note.
 */
export async function keepWritten(host: Pick<HostSystem, 'path'>): Promise<void> {
  // below the kubelet's folder are the pods' volumes, too, which are none of ours
  await Promise.all([syncTree(host.path('/etc/kubernetes')), syncTree(host.path('/var/lib/kubelet'), 1), syncTree(host.path('/var/lib/kubelet/pki'))]);
}

/** kubeadm colours its list of kernel settings, one line each: those that are fine say nothing to anyone. */
function tell(context: AgentStepContext, step: string, stream: 'stdout' | 'stderr', line: string): void {
  const plain = stripVTControlCharacters(line);
  if (/^(CONFIG|CGROUPS)_\w+: (enabled|not set)/.test(plain) || plain.includes('retry_interceptor.go')) return;
  context.emit({type: 'step.output', step, host: context.scope.host.name, stream, line: plain});
}

/** kubeadm's errors: `[ERROR Name]: text` lines of preflight, else the line that begins with `error`. */
function complaintOf(stderr: string): string | undefined {
  const lines = stderr.split('\n').map((line) => line.trim());
  const preflight = lines.filter((line) => line.startsWith('[ERROR '));
  if (preflight.length > 0) return preflight.join('; ');
  return lines
    .find((line) => /^error( |:)/.test(line))
    ?.replace(/^(error: )?error execution phase ([\w-/]+): /, '$2: ')
    .replace(/^error: /, '');
}
