// The control plane's components run with the settings that are wanted now: their manifests are rendered anew by kubeadm, one after another.
import {mkdir} from 'node:fs/promises';
import {sleep} from '../../../kernel/cancel.ts';
import {digestOfValue} from '../../../kernel/digest.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import type {Wanted} from '../../../hostcluster/protocol.ts';
import {ClusterApi} from '../../cluster-api.ts';
import type {AgentStep, AgentStepContext, Reconciler} from '../../reconciler.ts';
import {adminApi} from './access.ts';
import {handOverEndpoint} from './endpoint.ts';
import {sharedEndpointStep} from './endpoint-clients.ts';
import {runKubeadm} from './kubeadm-run.ts';
import {isVersionChange} from './member.ts';
import {apiPort, renderInit} from './render-kubeadm.ts';
import {manifestOf, placeManifest} from './static-pod.ts';
import {traitsOf} from './traits.ts';

export type ComponentName = 'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler';

interface Component {
  readonly name: ComponentName;
  readonly setting: 'apiServer' | 'controllerManager' | 'scheduler' | 'etcd';
  readonly phase: readonly string[];
  readonly health: string;
}

const components: readonly Component[] = [
  {name: 'etcd', setting: 'etcd', phase: ['etcd', 'local'], health: 'http://127.0.0.1:2381/readyz'},
  {name: 'kube-apiserver', setting: 'apiServer', phase: ['control-plane', 'apiserver'], health: `https://127.0.0.1:${apiPort}/readyz`},
  {name: 'kube-controller-manager', setting: 'controllerManager', phase: ['control-plane', 'controller-manager'], health: 'https://127.0.0.1:10257/healthz'},
  {name: 'kube-scheduler', setting: 'scheduler', phase: ['control-plane', 'scheduler'], health: 'https://127.0.0.1:10259/healthz'},
];

function componentsOf(wanted: Wanted): readonly Component[] {
  return wanted.configuration.etcd['external'] === undefined ? components : components.filter((one) => one.name !== 'etcd');
}

export const componentsReconciler: Reconciler = {
  name: 'components',
  needs: ['control-plane', 'upgrade'],
  inputs: ['configuration.apiServer', 'configuration.controllerManager', 'configuration.scheduler', 'configuration.etcd', 'configuration.kubeadm', 'proxy'],
  outputs: components.map((component) => manifestOf(component.name)),
  steps: (target) => {
    if (isVersionChange(target)) return [];
    return [namesStep(), ...componentsOf(target.wanted).map(manifestStep)];
  },
};

/** What the component's manifest is made of. */
function settingsDigest(wanted: Wanted, component: Component): string {
  return digestOfValue([
    wanted.configuration[component.setting],
    wanted.configuration.kubeadm,
    component.name === 'kube-apiserver' || component.name === 'kube-controller-manager' ? wanted.proxy : {},
  ]);
}

function manifestStep(component: Component): AgentStep {
  const key = `component.${component.name}`;
  const id = `component:${component.name}`;
  return {
    id,
    title: `Configure ${component.name}`,
    subject: component.name,
    effect: 'restart',
    check: async ({scope}) =>
      scope.records.get(key) === settingsDigest(scope.wanted, component) && (await scope.host.exists(manifestOf(component.name))) ? 'satisfied' : 'needed',
    apply: async (context) => {
      const {scope} = context;
      const {host, wanted, records} = scope;
      const before = await host.read(manifestOf(component.name));
      const after = await renderManifest(context, component, id, before);
      // an unchanged manifest isn't touched, so nothing restarts
      if (after !== before) {
        if (component.name === 'etcd' || component.name === 'kube-apiserver') await handOverEndpoint(context, id);
        await placeManifest(host, component.name, after);
        await waitHealthy(context, component, 25_000);
      }
      await records.set(key, settingsDigest(wanted, component));
      return after === before ? 'was so already' : undefined;
    },
  };
}

/** Has kubeadm render the manifest into a folder of ours: written in place, the kubelet would run each version on the way to the right one. */
async function renderManifest(context: AgentStepContext, component: Component, step: string, before: string | undefined): Promise<string> {
  const {host, wanted} = context.scope;
  const folder = `/run/trireme/render-${component.name}`;
  await host.remove(folder);
  await mkdir(host.path(folder), {recursive: true, mode: 0o700});
  try {
    const env = {KUBEADM_INIT_DRYRUN_DIR: host.path(folder)};
    await runKubeadm(context, {
      args: ['init', 'phase', ...component.phase, '--dry-run'],
      config: renderInit({wanted, traits: await traitsOf(host)}),
      purpose: `render ${component.name}`,
      step,
      env,
      isQuiet: true,
    });
    const text = await host.read(`${folder}/${component.name}.yaml`);
    if (text === undefined) throw new TriremeError('agent.failed', `kubeadm rendered no manifest of ${component.name} on ${host.name}.`, {host: host.name});
    return component.name === 'etcd' && before !== undefined ? keepInitialCluster(text, before) : text;
  } finally {
    await host.remove(folder);
  }
}

/** kubeadm renders etcd as a cluster of one; those flags count only for empty data, and there they must name the real cluster. */
export function keepInitialCluster(text: string, before: string): string {
  const flag = (manifest: string, name: string) => new RegExp(`^ *- --${name}=.*\\n`, 'm').exec(manifest)?.[0];
  const [old, now, state] = [flag(before, 'initial-cluster'), flag(text, 'initial-cluster'), flag(before, 'initial-cluster-state')];
  if (old === undefined || now === undefined) return text;
  return text.replace(now, `${old}${flag(text, 'initial-cluster-state') === undefined ? (state ?? '') : ''}`);
}

/** The kubelet sees the new manifest within 20 s, stops the old pod and starts the new one. */
async function waitHealthy({signal, scope: {host}}: AgentStepContext, component: Component, steady: number): Promise<void> {
  const api = new ClusterApi({server: new URL(component.health).origin, insecureLocal: true});
  const until = Date.now() + 240_000;
  // after a change the old one still answers for a moment: it has to be healthy for `steady` ms
  let healthySince: number | undefined;
  try {
    for (;;) {
      const answer = await api.send({path: new URL(component.health).pathname, deadline: 3000, signal}).catch(() => undefined);
      if (answer === undefined || answer.status >= 500) healthySince = undefined;
      else healthySince ??= Date.now();
      if (healthySince !== undefined && Date.now() - healthySince >= steady) return;
      if (Date.now() > until) {
        throw new TriremeError('agent.failed', `${component.name} on ${host.name} isn't healthy after four minutes.`, {
          host: host.name,
          hints: [
            `Look at its log on the host: crictl logs $(crictl ps -a --name ${component.name} -q | head -1)`,
            'If its settings have just changed, take the change back.',
          ],
        });
      }
      await sleep(1000, signal);
    }
  } finally {
    api.close();
  }
}

/** Waits until the component has been healthy for `steady` ms; what isn't one of them isn't asked. */
export async function waitComponentHealthy(context: AgentStepContext, name: string, steady: number): Promise<void> {
  const component = components.find((one) => one.name === name);
  if (component !== undefined) await waitHealthy(context, component, steady);
}

/** Waits until every component of this control plane answers that it's healthy. */
export async function waitAllHealthy(context: AgentStepContext): Promise<void> {
  for (const component of componentsOf(context.scope.wanted)) await waitHealthy(context, component, 0);
}

/** The API server's certificate has the names that are wanted. A first look only notes what kubeadm made. */
function namesStep(): AgentStep {
  const key = 'component.names';
  const digest = (wanted: Wanted) => digestOfValue([wanted.configuration.apiServer['certSANs'] ?? [], wanted.endpoint.host]);
  return {
    id: 'component:names',
    title: "Make the API server's certificate for its names",
    subject: 'certificate of kube-apiserver',
    effect: 'restart',
    check: async ({scope}) => (scope.records.get(key) === digest(scope.wanted) ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {host, wanted, records} = context.scope;
      if (records.get(key) !== undefined) {
        await host.remove('/etc/kubernetes/pki/apiserver.crt');
        await host.remove('/etc/kubernetes/pki/apiserver.key');
        await runKubeadm(context, {
          args: ['init', 'phase', 'certs', 'apiserver'],
          config: renderInit({wanted, traits: await traitsOf(host)}),
          purpose: 'make the certificate of the API server',
          step: 'component:names',
        });
      }
      await records.set(key, digest(wanted));
    },
  };
}

/** What all control planes share in the cluster: kubeadm's own record for later joins, and kube-proxy's settings. Written by the first one. */
export const shared: Reconciler = {
  name: 'shared-settings',
  needs: ['components', 'endpoint-clients'],
  inputs: ['configuration', 'network', 'endpoint', 'bootstrap'],
  outputs: ['configmap kubeadm-config', 'configmap kube-proxy'],
  interval: 60_000,
  steps: ({wanted}) => (wanted.bootstrap ? [uploadStep(), proxyStep(), sharedEndpointStep()] : []),
};

function uploadStep(): AgentStep {
  const key = 'shared.uploaded';
  const digest = ({apiServer, controllerManager, scheduler, etcd, kubeadm, kubelet}: Wanted['configuration']) =>
    digestOfValue([apiServer, controllerManager, scheduler, etcd, kubeadm, kubelet]);
  return {
    id: 'shared:upload',
    title: "Record the cluster's settings for later joins",
    effect: 'none',
    check: async ({scope}) => (scope.records.get(key) === digest(scope.wanted.configuration) ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {host, wanted, records} = context.scope;
      // kubeadm init has just done so
      if (records.get(key) !== undefined)
        await runKubeadm(context, {
          args: ['init', 'phase', 'upload-config', 'all'],
          config: renderInit({wanted, traits: await traitsOf(host)}),
          purpose: "record the cluster's settings",
          step: 'shared:upload',
        });
      await records.set(key, digest(wanted.configuration));
    },
  };
}

function proxyStep(): AgentStep {
  const key = 'shared.kube-proxy';
  const digest = (wanted: Wanted) => digestOfValue(wanted.configuration.kubeProxy);
  return {
    id: 'shared:kube-proxy',
    title: 'Configure kube-proxy',
    effect: 'none',
    check: async ({scope}) => (scope.records.get(key) === digest(scope.wanted) ? 'satisfied' : 'needed'),
    apply: async (context) => {
      const {host, wanted, records} = context.scope;
      const skipped =
        (wanted.configuration.kubeadm['skipPhases'] as readonly string[] | undefined)?.some((phase) => phase === 'addon' || phase === 'addon/kube-proxy') ===
        true;
      if (records.get(key) !== undefined && !skipped) {
        await runKubeadm(context, {
          args: ['init', 'phase', 'addon', 'kube-proxy'],
          config: renderInit({wanted, traits: await traitsOf(host)}),
          purpose: 'configure kube-proxy',
          step: 'shared:kube-proxy',
        });
        // kube-proxy reads its ConfigMap only when it starts
        const api = await adminApi(context.scope);
        await api?.change({
          method: 'PATCH',
          path: '/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy',
          body: {spec: {template: {metadata: {annotations: {'trireme.dev/settings': digest(wanted)}}}}},
        });
      }
      await records.set(key, digest(wanted));
    },
  };
}
