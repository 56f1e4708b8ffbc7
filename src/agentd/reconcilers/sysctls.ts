// Kernel parameters: a drop-in for the next boot, and the running values.
import {TriremeError} from '../../kernel/errors.ts';
import type {Wanted} from '../../hostcluster/protocol.ts';
import {fileStep} from '../file-step.ts';
import type {HostSystem} from '../host-system.ts';
import type {AgentStep, Reconciler} from '../reconciler.ts';

const path = '/etc/sysctl.d/90-trireme.conf';

export const sysctls: Reconciler = {
  name: 'sysctls',
  needs: ['modules'],
  inputs: ['configuration.sysctls', 'network.pods'],
  outputs: [path],
  area: 'sysctls',
  steps: ({wanted}) => {
    const values = wantedSysctls(wanted);
    const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
    return [
      fileStep({path, content: `# Written by Trireme; the file's configuration.sysctls are merged in.\n${lines.join('\n')}\n`}),
      ...Object.entries(values).map(([key, value]) => valueStep(key, value, key in wanted.configuration.sysctls)),
    ];
  },
};

/** What Kubernetes needs, with the user's over it, sorted by key. */
export function wantedSysctls(wanted: Pick<Wanted, 'configuration' | 'network'>): Readonly<Record<string, string>> {
  const isDualStack = wanted.network.pods.some((cidr) => cidr.includes(':'));
  const needed: Record<string, string> = {
    'net.ipv4.ip_forward': '1',
    'net.bridge.bridge-nf-call-iptables': '1',
    'net.bridge.bridge-nf-call-ip6tables': '1',
    ...(isDualStack ? {'net.ipv6.conf.all.forwarding': '1'} : {}),
  };
  const all = {...needed, ...wanted.configuration.sysctls};
  return Object.fromEntries(
    Object.entries(all)
      .map(([key, value]): [string, string] => [key, String(value)])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** sysctl(8): dots separate, a slash within a key stands for a dot (`net.ipv4.conf.eth0/1.rp_filter`). */
function procPath(key: string): string {
  return `/proc/sys/${key.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'))}`;
}

function normal(value: string): string {
  return value.trim().split(/\s+/).join(' ');
}

function valueStep(key: string, value: string, isUsers: boolean): AgentStep {
  const read = async (host: HostSystem) => host.read(procPath(key));
  return {
    id: `sysctl:${key}`,
    title: `Set ${key}`,
    subject: `sysctl ${key}`,
    effect: 'reload',
    check: async ({scope: {host}}) => {
      const found = await read(host);
      // br_netfilter's keys are there only with the module; without it there's no bridge traffic to filter
      if (found === undefined && !isUsers && !host.simulated) return 'satisfied';
      return found !== undefined && normal(found) === normal(value) ? 'satisfied' : 'needed';
    },
    apply: async ({scope: {host, records}}) => {
      try {
        const before = records.get<Readonly<Record<string, string | null>>>('sysctl.before') ?? {};
        // what a reset puts back
        if (!(procPath(key) in before)) await records.set('sysctl.before', {...before, [procPath(key)]: (await read(host)) ?? null});
        if (!host.simulated && (await read(host)) === undefined) throw new Error('this kernel has no such parameter');
        await host.write(procPath(key), `${value}\n`);
      } catch (error) {
        throw new TriremeError('agent.failed', `Can't set ${key} to ${value} on ${host.name}: ${(error as Error).message}`, {
          host: host.name,
          hints: ['Correct or remove it under configuration.sysctls.'],
          cause: error,
        });
      }
    },
    found: async ({host}) => normal((await read(host)) ?? 'missing'),
  };
}
