// The cluster's authorities in kubeadm's folder: there before kubeadm starts, so that it uses them and makes none.
import {TriremeError} from '../../../kernel/errors.ts';
import type {Secrets} from '../../../hostcluster/protocol.ts';
import type {AgentStep} from '../../reconciler.ts';

const folder = '/etc/kubernetes/pki';

/** Path, text and mode of each file. */
function filesOf(secrets: Secrets): readonly (readonly [string, string, string])[] {
  const {ca, etcdCa, frontProxyCa, serviceAccount} = secrets;
  if (ca.key === undefined || etcdCa?.key === undefined || frontProxyCa?.key === undefined || serviceAccount?.key === undefined) {
    throw new TriremeError('agent.failed', 'A control plane needs the keys of all authorities, and some were not handed over.', {
      hints: ['trireme apply hands them over again.'],
    });
  }
  return [
    [`${folder}/ca.crt`, ca.certificate, '0644'],
    [`${folder}/ca.key`, ca.key, '0600'],
    [`${folder}/etcd/ca.crt`, etcdCa.certificate, '0644'],
    [`${folder}/etcd/ca.key`, etcdCa.key, '0600'],
    [`${folder}/front-proxy-ca.crt`, frontProxyCa.certificate, '0644'],
    [`${folder}/front-proxy-ca.key`, frontProxyCa.key, '0600'],
    [`${folder}/sa.pub`, serviceAccount.certificate, '0600'],
    [`${folder}/sa.key`, serviceAccount.key, '0600'],
  ];
}

/** A step that writes the authorities. Another cluster's, already there, are never replaced. */
export function certificatesStep(): AgentStep {
  return {
    id: 'certificates',
    title: "Write the cluster's authorities",
    effect: 'none',
    check: async ({scope: {host, secrets}}) => {
      if (secrets === null) return 'needed';
      for (const [path, text] of filesOf(secrets)) if ((await host.read(path)) !== text) return 'needed';
      return 'satisfied';
    },
    apply: async ({scope: {host, secrets}}) => {
      if (secrets === null) throw new TriremeError('agent.failed', `${host.name} has no secrets of its cluster.`, {host: host.name});
      for (const [path, text] of filesOf(secrets)) {
        const found = await host.read(path);
        if (found === undefined) await host.write(path, text, path.endsWith('.key') ? '0600' : '0644');
        else if (found !== text) {
          throw new TriremeError('cluster.foreign', `${path} on ${host.name} belongs to another cluster.`, {
            host: host.name,
            hints: [`Take the host out of that cluster first: trireme host reset ${host.name}`],
          });
        }
      }
    },
  };
}
