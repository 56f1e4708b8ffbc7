// SIMULATED certificates: files that say from when until when they would hold. Renewed by the same rule as real ones.
import {createHash} from 'node:crypto';
import type {CertificateState} from '../../../hostcluster/protocol.ts';
import type {AgentStep, Reconciler, Target} from '../../reconciler.ts';
import {memberNeeds} from '../kubeadm/names.ts';
import {iso, isDue, noteRenewal, renewalOf, renewsAt, validityOf} from '../renewal.ts';

const folder = '/etc/kubernetes/pki';
const authorityYears = 10;

interface SimulatedCertificate {
  readonly SIMULATED: true;
  readonly notBefore: string;
  readonly notAfter: string;
}

const namesOf = ({role}: Target['wanted']): readonly string[] =>
  role === 'control-plane' ? ['ca', 'etcd-ca', 'apiserver', 'etcd-server', 'admin.conf', 'kubelet'] : ['ca', 'kubelet'];
const isAuthority = (name: string) => name === 'ca' || name === 'etcd-ca';
const pathOf = (name: string) => `${folder}/${name}.simulated.json`;

export async function simulatedCertificates({host, wanted}: Target): Promise<readonly CertificateState[]> {
  const found = await Promise.all(
    namesOf(wanted).map(async (name): Promise<CertificateState | undefined> => {
      const text = await host.read(pathOf(name));
      if (text === undefined) return undefined;
      const {notBefore, notAfter} = JSON.parse(text) as SimulatedCertificate;
      // one authority for the cluster, so one fingerprint on all hosts
      const bytes = createHash('sha256').update(isAuthority(name) ? `${name} ${wanted.cluster.id}` : `${name} ${host.name} ${text}`);
      const renewedBy = isAuthority(name) ? 'nobody' : name === 'kubelet' ? 'kubelet' : 'agent';
      const at = renewsAt({notBefore, notAfter, renewedBy}, validityOf(wanted));
      return {
        name,
        path: pathOf(name),
        kind: isAuthority(name) ? 'authority' : 'certificate',
        subject: `SIMULATED ${name}`,
        issuer: name.startsWith('etcd') ? 'SIMULATED etcd-ca' : 'SIMULATED ca',
        notBefore,
        notAfter,
        fingerprint: bytes.digest('hex').toUpperCase().match(/../g)?.join(':') ?? '',
        renewedBy,
        ...(at === undefined ? {} : {renewsAt: at}),
      };
    }),
  );
  return found.filter((one) => one !== undefined);
}

async function toMake(target: Target): Promise<readonly string[]> {
  const all = await simulatedCertificates(target);
  const request = renewalOf(target);
  const isAskedFor = (one: CertificateState) => request !== undefined && !request.done && one.kind === 'certificate' && one.notBefore < request.at;
  const missing = namesOf(target.wanted).filter((name) => !all.some((one) => one.name === name));
  return [...missing, ...all.filter((one) => isDue(one) || isAskedFor(one)).map((one) => one.name)];
}

export const certificates: Reconciler = {
  name: 'certificates',
  needs: memberNeeds,
  inputs: ['role', 'configuration.kubeadm'],
  outputs: ['certificates'],
  interval: 5000,
  steps: () => [makeStep],
};

const makeStep: AgentStep = {
  id: 'certificates:renew',
  title: 'Renew certificates',
  effect: 'restart',
  check: async ({scope}) => {
    const request = renewalOf(scope);
    return (request !== undefined && !request.done) || (await toMake(scope)).length > 0 ? 'needed' : 'satisfied';
  },
  apply: async ({scope}) => {
    const request = renewalOf(scope);
    const names = await toMake(scope);
    for (const name of names) {
      const now = Date.now();
      const validity = isAuthority(name) ? authorityYears * 365 * 24 * 3_600_000 : validityOf(scope.wanted);
      const certificate: SimulatedCertificate = {SIMULATED: true, notBefore: iso(now), notAfter: iso(now + validity)};
      await scope.host.write(pathOf(name), `${JSON.stringify(certificate)}\n`, '0600');
    }
    if (request !== undefined) await noteRenewal(scope, request.at);
    return names.length === 0 ? undefined : names.join(', ');
  },
};
