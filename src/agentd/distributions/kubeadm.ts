// Real Kubernetes by kubeadm, with containerd from our content, on a systemd host.
import {TriremeError} from '../../kernel/errors.ts';
import {nodeReconciler, setNode} from '../reconcilers/node.ts';
import {content} from '../reconcilers/content.ts';
import {files} from '../reconcilers/files.ts';
import {modules} from '../reconcilers/modules.ts';
import {sysctls} from '../reconcilers/sysctls.ts';
import type {ClusterApi} from '../cluster-api.ts';
import type {Distribution, Target} from '../reconciler.ts';
import {addons} from './kubeadm/addons.ts';
import {adminApi, adminKubeconfig, nodeApi, ownAdminApi} from './kubeadm/access.ts';
import {readCertificates} from './kubeadm/certificate-files.ts';
import {componentsReconciler, shared} from './kubeadm/components.ts';
import {controlPlane, join} from './kubeadm/control-plane.ts';
import {endpoint} from './kubeadm/endpoint.ts';
import {endpointClients} from './kubeadm/endpoint-clients.ts';
import {etcdMemberOf, etcdMembersOf, removeEtcdMember} from './kubeadm/etcd.ts';
import {images} from './kubeadm/import-images.ts';
import {kubeletService} from './kubeadm/kubelet-service.ts';
import {kubelet} from './kubeadm/kubelet.ts';
import {saveSnapshot} from './kubeadm/local-etcd.ts';
import {memberOf} from './kubeadm/member.ts';
import {memberNeeds} from './kubeadm/names.ts';
import {forgetEtcd, observeCluster} from './kubeadm/observe.ts';
import {clusterEvents} from './kubeadm/events.ts';
import {certificates} from './kubeadm/renew-certificates.ts';
import {runtime} from './kubeadm/runtime.ts';
import {token} from './kubeadm/token.ts';
import {upgrade} from './kubeadm/upgrade.ts';

export function kubeadmDistribution(): Distribution {
  const node = nodeReconciler({admin: adminApi, own: nodeApi}, memberNeeds);
  return {
    name: 'kubeadm',
    simulated: false,
    reconcilers: ({role}) => {
      const everywhere = [content, files, modules, sysctls, runtime, images, kubelet];
      const members = [kubeletService, endpointClients, node, upgrade, certificates];
      return role === 'control-plane'
        ? [...everywhere, controlPlane, endpoint, ...members, componentsReconciler, shared, token, addons]
        : [...everywhere, join, ...members];
    },
    isMember: async (target) => memberOf(target) !== undefined,
    running: (target) => memberOf(target)?.kubernetesVersion,
    observe: async (target, signal) => {
      const api = await adminApi(target);
      if (api === undefined) return {nodes: [], conditions: []};
      const seen = await observeCluster(api, target, signal);
      return {...seen, ...(seen.etcd === undefined || seen.etcd.length === 0 ? {} : {etcdMembers: seen.etcd.map(etcdMemberOf)})};
    },
    certificates: readCertificates,
    events: async (target, signal) => {
      const api = await adminApi(target);
      return api === undefined ? [] : clusterEvents(api, signal);
    },
    saveSnapshot: ({host}, path, signal) => saveSnapshot(host, path, signal),
    kubeconfig: ({host}) => host.read(adminKubeconfig),
    setNode: async (target, name, wish, signal) => setNode(await requireAdmin(target), name, wish, signal),
    adminApi: (target, which) => (which === 'own' ? ownAdminApi(target) : adminApi(target)),
    etcdMembers: etcdMembersOf,
    removeEtcdMember: async (target, member, signal) => {
      await removeEtcdMember(target, member, signal);
      forgetEtcd();
    },
    close: async () => {},
  };
}

async function requireAdmin(target: Target): Promise<ClusterApi> {
  const api = await adminApi(target);
  if (api === undefined) throw new TriremeError('cluster.not-made', `${target.host.name} isn't a member of its cluster yet.`, {host: target.host.name});
  return api;
}
