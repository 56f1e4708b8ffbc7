// The static pod that serves the endpoint's address on control planes, and the rights that it has. Pure.
import {isIPv6} from 'node:net';
import {stringify} from 'yaml';
import type {Wanted} from '../../../hostcluster/protocol.ts';
import {apiPort} from './render-kubeadm.ts';

/** The container's name, by which containerd knows it, and the pod's own. */
export const endpointContainer = 'kube-vip';
export const endpointPod = 'trireme-endpoint';
export const endpointKubeconfig = '/etc/kubernetes/trireme-endpoint.conf';
/** Whom the API knows the pod as. */
export const endpointUser = 'trireme:endpoint';
/** Of the Leases. */
export const endpointNamespace = 'trireme-endpoint';

/** The Lease that says who has the address. Each address has its own: a host that wasn't told of another one can't keep it from being served. */
export function endpointLease({endpoint}: Pick<Wanted, 'endpoint'>): string {
  return `address-${endpoint.host.replaceAll(':', '-')}-holder`;
}

/** Where kube-vip reads its kubeconfig, whatever it is told. */
const readFrom = '/etc/kubernetes/admin.conf';
/** In s. A holder that is silent for `lease` has lost the address; one that can't renew it for `renew` gives it up before that. */
const times = {lease: 5, renew: 3, retry: 1};

/** The manifest: kube-vip asks the API server of its own host for the Lease, so it holds the address only while that one serves. */
export function renderEndpoint(wanted: Wanted, serving: {readonly image: string; readonly interface: string | undefined}): string {
  const {host} = wanted.endpoint;
  const [own] = wanted.node.addresses;
  const env = {
    address: host,
    port: String(apiPort),
    vip_arp: 'true',
    vip_subnet: isIPv6(host) ? '128' : '32',
    ...(serving.interface === undefined ? {} : {vip_interface: serving.interface}),
    vip_nodename: wanted.node.name,
    cp_enable: 'true',
    cp_namespace: endpointNamespace,
    vip_leaderelection: 'true',
    vip_leasename: endpointLease(wanted),
    vip_leaseduration: String(times.lease),
    vip_renewdeadline: String(times.renew),
    vip_retryperiod: String(times.retry),
  };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: endpointPod, namespace: 'kube-system', labels: {component: endpointPod, tier: 'control-plane'}},
    spec: {
      priorityClassName: 'system-node-critical',
      hostNetwork: true,
      // kube-vip calls its API server by this name, which the server's certificate has
      hostAliases: [{ip: own ?? '127.0.0.1', hostnames: ['kubernetes']}],
      containers: [
        {
          name: endpointContainer,
          image: serving.image,
          imagePullPolicy: 'IfNotPresent',
          // without its metrics it opens no port
          args: ['manager', '--prometheusHTTPServer='],
          env: Object.entries(env).map(([name, value]) => ({name, value})),
          resources: {requests: {cpu: '10m', memory: '32Mi'}},
          securityContext: {capabilities: {drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW']}, readOnlyRootFilesystem: true},
          volumeMounts: [{name: 'kubeconfig', mountPath: readFrom, readOnly: true}],
        },
      ],
      volumes: [{name: 'kubeconfig', hostPath: {path: endpointKubeconfig, type: 'File'}}],
    },
  };
  return stringify(pod, {lineWidth: 0});
}

const group = 'rbac.authorization.k8s.io';
const metadata = {name: endpointUser, namespace: endpointNamespace};
const place = `/apis/${group}/v1/namespaces/${endpointNamespace}`;

/** Of the whole API it may read and write the Leases of one namespace, in which there is nothing else. In the order in which they are made. */
export const endpointRights = [
  {path: `/api/v1/namespaces/${endpointNamespace}`, body: {apiVersion: 'v1', kind: 'Namespace', metadata: {name: endpointNamespace}}},
  {
    path: `${place}/roles/${endpointUser}`,
    body: {
      apiVersion: `${group}/v1`,
      kind: 'Role',
      metadata,
      rules: [{apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'get', 'update', 'patch']}],
    },
  },
  {
    path: `${place}/rolebindings/${endpointUser}`,
    body: {
      apiVersion: `${group}/v1`,
      kind: 'RoleBinding',
      metadata,
      roleRef: {apiGroup: group, kind: 'Role', name: endpointUser},
      subjects: [{apiGroup: group, kind: 'User', name: endpointUser}],
    },
  },
] as const;
