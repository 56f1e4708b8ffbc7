// The bootstrap token stays valid, so that a host of the file can join, or join again, at any time without the operator touching others.
import {TriremeError} from '../../../kernel/errors.ts';
import type {AgentStep, Reconciler, Target} from '../../reconciler.ts';
import {adminApi} from './access.ts';

const folder = '/api/v1/namespaces/kube-system/secrets';
/** In ms. */
const lifetime = 24 * 60 * 60 * 1000;
const renewBelow = lifetime / 2;

export const token: Reconciler = {
  name: 'token',
  needs: ['control-plane'],
  inputs: ['secrets'],
  outputs: ['secret bootstrap-token-*'],
  interval: 60_000,
  steps: () => [tokenStep()],
};

function tokenStep(): AgentStep {
  const isValid = async (target: Target) => {
    const [id, secret] = (target.secrets?.bootstrapToken ?? '').split('.');
    const api = await adminApi(target);
    const found = await api?.get<{data?: Record<string, string>}>(`${folder}/bootstrap-token-${id}`);
    const value = (key: string) => Buffer.from(found?.data?.[key] ?? '', 'base64').toString();
    return value('token-secret') === secret && Date.parse(value('expiration')) - Date.now() > renewBelow;
  };
  return {
    id: 'token',
    title: 'Keep the bootstrap token valid',
    effect: 'none',
    check: async ({scope}) => (scope.secrets === null || (await isValid(scope)) ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      const [id = '', secret = ''] = (scope.secrets?.bootstrapToken ?? '').split('.');
      const api = await adminApi(scope);
      if (api === undefined) throw new TriremeError('agent.failed', `${scope.host.name} has no administrator's kubeconfig.`, {host: scope.host.name});
      const stringData = {
        'token-id': id,
        'token-secret': secret,
        expiration: new Date(Date.now() + lifetime).toISOString().replace(/\.\d+Z$/, 'Z'),
        'usage-bootstrap-authentication': 'true',
        'usage-bootstrap-signing': 'true',
        'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
        description: "Kept valid by Trireme's agents.",
      };
      const body = {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'bootstrap.kubernetes.io/token',
        metadata: {name: `bootstrap-token-${id}`, namespace: 'kube-system'},
        stringData,
      };
      await api.change({method: 'PATCH', path: `${folder}/bootstrap-token-${id}?fieldManager=trireme&force=true`, type: 'application/apply-patch+yaml', body});
    },
  };
}
