// containerd with all that it runs: runc, CNI plugins, crictl, its configuration, its service.
import {sleep} from '../../../kernel/cancel.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {absentStep, fileStep} from '../../file-step.ts';
import {lastLine} from '../../host-system.ts';
import {registryFolder, registrySteps} from '../../registry-files.ts';
import {serviceStep} from '../../service-step.ts';
import type {AgentStep, Reconciler, Target} from '../../reconciler.ts';
import {requireContent} from '../../reconcilers/content.ts';
import {installStep} from './install.ts';
import {renderContainerd} from './render-containerd.ts';
import {containerdUnit, criSocket, proxyDropIn} from './render-kubelet.ts';
import {traitsOf} from './traits.ts';

const paths = {
  config: '/etc/containerd/config.toml',
  unit: '/etc/systemd/system/containerd.service',
  proxy: '/etc/systemd/system/containerd.service.d/50-trireme-proxy.conf',
  crictl: '/etc/crictl.yaml',
  plugins: '/opt/cni/bin',
};

export const runtime: Reconciler = {
  name: 'runtime',
  needs: ['content', 'modules'],
  inputs: ['content', 'configuration.containerd', 'configuration.kubelet.cgroupDriver', 'proxy', 'registries'],
  outputs: [...Object.values(paths), registryFolder],
  area: 'runtime',
  steps: async (target) => {
    const {host, wanted} = target;
    const traits = await traitsOf(host);
    const toBin = ({host: {bin}}: Target) => bin;
    const parts = wanted.content.filter((item) => ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc', 'crictl'].includes(item.name));
    const steps: AgentStep[] =
      [requireContent(wanted, 'containerd'), requireContent(wanted, 'runc')].length > 0 ? parts.map((item) => installStep(item, toBin)) : [];
    for (const item of wanted.content) if (item.kind !== 'image' && /^cni($|-)/.test(item.name)) steps.push(installStep(item, () => paths.plugins));
    const proxy = proxyDropIn(wanted.proxy);
    steps.push(
      fileStep({path: paths.crictl, content: `# Written by Trireme\nruntime-endpoint: ${criSocket}\nimage-endpoint: ${criSocket}\n`}),
      fileStep({path: paths.config, content: renderContainerd(wanted, traits)}),
      fileStep({path: paths.unit, content: containerdUnit(host.bin)}),
      ...(await registrySteps(target)),
      // NO_PROXY and its kin may carry a password
      proxy === undefined ? absentStep(paths.proxy) : fileStep({path: paths.proxy, content: proxy, mode: '0600'}),
      serviceStep({
        unit: 'containerd.service',
        files: [paths.config, paths.unit, paths.proxy],
        also: parts.map((item) => item.digest),
        ready: waitForContainerd,
      }),
    );
    return steps;
  },
};

/** Type=notify says that it serves; the plugin for Kubernetes may still have failed to load. */
async function waitForContainerd({host}: Target, signal: AbortSignal): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    const result = await host.run(`${host.bin}/ctr`, ['plugins', 'ls', '-q'], {deadline: 20_000, signal});
    if (result.code === 0) break;
    if (Date.now() > until)
      throw new TriremeError('agent.failed', `containerd on ${host.name} doesn't answer a minute after its start: ${lastLine(result)}`, {
        host: host.name,
        hints: ['On the host: journalctl -u containerd -n 50'],
      });
    await sleep(500, signal);
  }
  const {stdout} = await host.run(`${host.bin}/ctr`, ['plugins', 'ls'], {deadline: 20_000, signal});
  const cri = stdout.split('\n').filter((line) => /\bcri\b/.test(line));
  const broken = cri.find((line) => /\berror\b/.test(line));
  if (broken !== undefined)
    throw new TriremeError('agent.failed', `containerd on ${host.name} runs without its part for Kubernetes: ${broken.trim()}`, {
      host: host.name,
      hints: ['Look at configuration.containerd in the file.', 'On the host: journalctl -u containerd -n 50'],
    });
}
