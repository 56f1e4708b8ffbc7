// Kernel modules that Kubernetes needs: loaded now, and at the next boot.
import {lastLine, type HostSystem} from '../host-system.ts';
import {fileStep} from '../file-step.ts';
import type {AgentStep, Reconciler} from '../reconciler.ts';

const path = '/etc/modules-load.d/90-trireme.conf';
const wantedModules = ['overlay', 'br_netfilter'];

export const modules: Reconciler = {
  name: 'modules',
  needs: [],
  inputs: [],
  outputs: [path],
  area: 'modules',
  steps: () => [fileStep({path, content: `# Written by Trireme: what Kubernetes needs.\n${wantedModules.join('\n')}\n`}), ...wantedModules.map(loadStep)],
};

function loadStep(name: string): AgentStep {
  return {
    id: `module:${name}`,
    title: `Load the kernel module ${name}`,
    subject: `module ${name}`,
    effect: 'none',
    check: async ({scope: {host, records}}) =>
      (await isLoaded(host, name)) || records.get(`module.${name}`) === (await bootId(host)) ? 'satisfied' : 'needed',
    apply: async ({scope: {host, records}, emit}) => {
      const result = await host.run('modprobe', [name], {deadline: 30_000});
      if (result.code === 0) return;
      // Neither is vital for every kernel and network: one may be built in under another name, and containers may not load modules.
      // What really lacks shows in the runtime's own start. Told once for each boot.
      emit({
        type: 'warning.raised',
        code: 'module.unavailable',
        message: `The kernel module ${name} can't be loaded on ${host.name}: ${lastLine(result)}`,
        host: host.name,
      });
      await records.set(`module.${name}`, await bootId(host));
    },
    found: async () => 'not loaded',
  };
}

async function isLoaded(host: HostSystem, name: string): Promise<boolean> {
  if (await host.exists(`/sys/module/${name}`)) return true;
  return name === 'overlay' && /\boverlay$/m.test((await host.read('/proc/filesystems')) ?? '');
}

async function bootId(host: HostSystem): Promise<string> {
  return ((await host.read('/proc/sys/kernel/random/boot_id')) ?? 'unknown').trim();
}
