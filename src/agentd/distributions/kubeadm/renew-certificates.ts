// Certificates are made anew before they end: on control planes one host after the other, while the API of the others serves; and at once, without
// asking anybody, where they have ended already, since then there is no API to keep up.
import type {CertificateState} from '../../../hostcluster/protocol.ts';
import {TriremeError} from '../../../kernel/errors.ts';
import {withLease} from '../../lease.ts';
import type {AgentStep, AgentStepContext, Reconciler, Target} from '../../reconciler.ts';
import {isDue, noteRenewal, renewalOf} from '../renewal.ts';
import {adminApi} from './access.ts';
import {endpointCertificate, placesOf, readCertificates, type Reader} from './certificate-files.ts';
import {handOverEndpoint, signEndpointKubeconfig} from './endpoint.ts';
import {needsCredentials, renewKubelet} from './kubelet-credentials.ts';
import {runKubeadm} from './kubeadm-run.ts';
import {isVersionChange} from './member.ts';
import {memberNeeds} from './names.ts';
import {endpointContainer} from './render-endpoint.ts';
import {renderInit} from './render-kubeadm.ts';
import {restartComponents} from './restart-component.ts';
import {traitsOf} from './traits.ts';

const keys = {
  /** When each was made by us. */
  made: 'certificates.made',
  /** Who still runs with the old ones: a power cut between making and restarting must not leave them so. */
  stale: 'certificates.stale',
};

/** In ms: between two looks; and how long an API is waited for, which is away while another control plane's turn lasts. */
const interval = 60_000;
const patience = 10 * 60_000;
const order: readonly Reader[] = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', endpointContainer];

export const certificates: Reconciler = {
  name: 'certificates',
  needs: memberNeeds,
  inputs: ['role', 'configuration.kubeadm'],
  outputs: ['certificates'],
  interval,
  steps: async (target) => {
    // an upgrade restarts the same components, and renews on its way; only what has ended would keep it from coming through
    if (isVersionChange(target) && !(await hasEnded(target))) return [];
    return [target.wanted.role === 'control-plane' ? renewStep() : kubeletStep()];
  },
};

const staleOf = ({records}: Target) => records.get<readonly Reader[]>(keys.stale) ?? [];

/** Those that have to be made anew now, for kubeadm to make. */
async function dueOf(target: Target): Promise<readonly CertificateState[]> {
  const request = renewalOf(target);
  const made = target.records.get<Readonly<Record<string, string>>>(keys.made) ?? {};
  const isAskedFor = (one: CertificateState) => request !== undefined && !request.done && (made[one.name] ?? '') < request.at;
  const isOurs = (one: CertificateState) => one.renewedBy === 'agent';
  return (await readCertificates(target)).filter((one) => isOurs(one) && (isDue(one) || isAskedFor(one)));
}

function renewStep(): AgentStep {
  return {
    id: 'certificates:renew',
    title: 'Renew certificates',
    effect: 'restart',
    check: async ({scope}) => {
      const request = renewalOf(scope);
      const isOpen = request !== undefined && !request.done;
      return isOpen || staleOf(scope).length > 0 || (await dueOf(scope)).length > 0 || (await needsCredentials(scope)) ? 'needed' : 'satisfied';
    },
    apply: async (context) => {
      const {scope} = context;
      const request = renewalOf(scope);
      const due = await dueOf(scope);
      await inTurn(context, due, async () => {
        await makeAnew(context, due);
        if (await needsCredentials(scope)) await renewKubelet(context);
        await restartReaders(context);
      });
      if (request !== undefined) await noteRenewal(scope, request.at);
      return due.length === 0 ? undefined : due.map((one) => one.name).join(', ');
    },
  };
}

/** Under the lease, so that one API server at a time is away. What has ended already has no API to ask, nor one to keep up. */
async function inTurn(context: AgentStepContext, due: readonly CertificateState[], work: () => Promise<void>): Promise<void> {
  const {scope, signal, emit} = context;
  const api = await adminApi(scope);
  if ((await hasEnded(scope)) || api === undefined || (due.length === 0 && staleOf(scope).length === 0)) return work();
  const onWait = (holder: string) =>
    emit({type: 'step.output', step: 'certificates:renew', host: scope.host.name, stream: 'stdout', line: `waits for its turn: ${holder} renews its own`});
  return withLease(api, {name: 'trireme-certificates', self: scope.host.name, signal, patience, onWait}, work);
}

/** True when a certificate that somebody reads holds no longer. */
async function hasEnded(target: Target): Promise<boolean> {
  return (await readCertificates(target)).some((one) => one.kind === 'certificate' && one.renewedBy !== 'nobody' && Date.parse(one.notAfter) <= Date.now());
}

async function makeAnew(context: AgentStepContext, due: readonly CertificateState[]): Promise<void> {
  const {host, wanted, records} = context.scope;
  const places = placesOf(wanted);
  for (const {name} of due) {
    const readers = places.find((place) => place.name === name)?.readers ?? [];
    // noted before it is made: whatever happens then, they are started anew
    await records.set(keys.stale, [...new Set([...staleOf(context.scope), ...readers])]);
    const run = {args: ['certs', 'renew', name], purpose: `renew the certificate ${name}`, step: 'certificates:renew'};
    if (name === endpointCertificate) await signEndpointKubeconfig(context, run.step);
    else await runKubeadm(context, {...run, config: renderInit({wanted, traits: await traitsOf(host)})});
    await records.set(keys.made, {...records.get<Record<string, string>>(keys.made), [name]: new Date().toISOString()});
  }
}

async function restartReaders(context: AgentStepContext): Promise<void> {
  const {scope} = context;
  const stale = staleOf(scope);
  if (stale.includes('etcd') || stale.includes('kube-apiserver')) await handOverEndpoint(context, 'certificates:renew');
  await restartComponents(
    context,
    order.filter((reader) => stale.includes(reader)),
  );
  await scope.records.set(keys.stale, []);
}

/** On a worker the kubelet's credentials are all there is. */
function kubeletStep(): AgentStep {
  return {
    id: 'certificates:kubelet',
    title: "Renew the kubelet's credentials",
    effect: 'restart',
    check: async ({scope}) => {
      const request = renewalOf(scope);
      return (request !== undefined && !request.done) || (await needsCredentials(scope)) ? 'needed' : 'satisfied';
    },
    apply: async (context) => {
      const {scope} = context;
      const request = renewalOf(scope);
      if (await needsCredentials(scope)) await renewKubelet(context);
      if (await needsCredentials(scope))
        throw new TriremeError('agent.failed', `The kubelet on ${scope.host.name} has no valid certificate after asking for a new one.`, {
          host: scope.host.name,
        });
      if (request !== undefined) await noteRenewal(scope, request.at);
    },
  };
}
