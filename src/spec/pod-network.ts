// A pod network for those who have no profile of their own: flannel, as a profile beside the cluster's file. Written from flannel's documented options.
import {type Answers, profileVariableAnswer} from './answers.ts';
import {familyOf} from './network.ts';
import {apiVersion} from './schema/values.ts';

/** Relative to the cluster's file. */
export const networkFiles = {profile: 'flannel/profile.yaml', manifest: 'flannel/kube-flannel.yaml'} as const;

const images = {flannel: 'ghcr.io/flannel-io/flannel:v0.28.10', plugin: 'ghcr.io/flannel-io/flannel-cni-plugin:v1.9.1-flannel3'} as const;

/** `spec.profile` as the answers want it; undefined without one. */
export function profileOf(
  {profile, profileVariable = [], cni}: Pick<Answers, 'profile' | 'profileVariable' | 'cni'>,
  parse: (text: string) => unknown,
): Readonly<Record<string, unknown>> | undefined {
  const file = profile ?? (cni === 'flannel' ? networkFiles.profile : undefined);
  if (file === undefined) return undefined;
  const variables = Object.fromEntries(profileVariable.map((one) => profileVariableAnswer(one, parse)));
  return {file, ...(Object.keys(variables).length === 0 ? {} : {variables})};
}

/** The files that the answers ask for beside the cluster's, by path relative to it. */
export function networkFilesOf({profile, cni, pods = ['10.244.0.0/16']}: Pick<Answers, 'profile' | 'cni' | 'pods'>): ReadonlyMap<string, string> {
  if (cni !== 'flannel' || profile !== undefined) return new Map();
  return new Map([
    [networkFiles.profile, profileText],
    [networkFiles.manifest, manifestText(pods)],
  ]);
}

const profileText = `# What is put onto the cluster: the network of the pods. Storage (csi) and add-ons can follow: trireme explain spec.layers
apiVersion: ${apiVersion}
kind: ClusterProfile
metadata:
  name: flannel
spec:
  layers:
    cni: {name: flannel, manifest: kube-flannel.yaml}
`;

function manifestText(pods: readonly string[]): string {
  const four = pods.find((network) => familyOf(network.split('/')[0] ?? '') === 'IPv4');
  const six = pods.find((network) => familyOf(network.split('/')[0] ?? '') === 'IPv6');
  const network = {
    ...(four === undefined ? {EnableIPv4: false} : {Network: four}),
    ...(six === undefined ? {} : {EnableIPv6: true, IPv6Network: six}),
    EnableNFTables: false,
    Backend: {Type: 'vxlan'},
  };
  return `# Flannel: vxlan over the pod networks of the cluster, a part for each node.
apiVersion: v1
kind: Namespace
metadata:
  name: kube-flannel
  labels: {pod-security.kubernetes.io/enforce: privileged}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: flannel, namespace: kube-flannel}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: flannel}
rules:
  - {apiGroups: [""], resources: [pods], verbs: [get]}
  - {apiGroups: [""], resources: [nodes], verbs: [get, list, watch]}
  - {apiGroups: [""], resources: [nodes/status], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: flannel}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: flannel}
subjects:
  - {kind: ServiceAccount, name: flannel, namespace: kube-flannel}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-flannel, namespace: kube-flannel}
data:
  net-conf.json: |
    ${JSON.stringify(network)}
  cni-conf.json: |
    {
      "name": "cbr0",
      "cniVersion": "0.3.1",
      "plugins": [
        {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
        {"type": "portmap", "capabilities": {"portMappings": true}}
      ]
    }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-flannel, namespace: kube-flannel}
spec:
  selector: {matchLabels: {app: flannel}}
  template:
    metadata: {labels: {app: flannel}}
    spec:
      hostNetwork: true
      nodeSelector: {kubernetes.io/os: linux}
      priorityClassName: system-node-critical
      serviceAccountName: flannel
      tolerations:
        - {operator: Exists, effect: NoSchedule}
      initContainers:
        - name: install-plugin
          image: ${images.plugin}
          command: [cp, -f, /flannel, /opt/cni/bin/flannel]
          volumeMounts:
            - {name: plugins, mountPath: /opt/cni/bin}
        # the plugin's image, because it has cp
        - name: install-configuration
          image: ${images.plugin}
          command: [cp, -f, /etc/kube-flannel/cni-conf.json, /etc/cni/net.d/10-flannel.conflist]
          volumeMounts:
            - {name: networks, mountPath: /etc/cni/net.d}
            - {name: configuration, mountPath: /etc/kube-flannel}
      containers:
        - name: flannel
          image: ${images.flannel}
          command: [/opt/bin/flanneld, --ip-masq, --kube-subnet-mgr, --healthz-port=8081]
          env:
            - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
            - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
          livenessProbe: {httpGet: {path: /healthz, port: 8081}, initialDelaySeconds: 10, periodSeconds: 30}
          readinessProbe: {httpGet: {path: /readyz, port: 8081}, periodSeconds: 2}
          resources: {requests: {cpu: 50m, memory: 50Mi}}
          securityContext:
            capabilities: {add: [NET_ADMIN, NET_RAW]}
          volumeMounts:
            - {name: run, mountPath: /run/flannel}
            - {name: configuration, mountPath: /etc/kube-flannel}
            - {name: xtables-lock, mountPath: /run/xtables.lock}
      volumes:
        - {name: run, hostPath: {path: /run/flannel}}
        - {name: plugins, hostPath: {path: /opt/cni/bin}}
        - {name: networks, hostPath: {path: /etc/cni/net.d}}
        - {name: configuration, configMap: {name: kube-flannel}}
        - {name: xtables-lock, hostPath: {path: /run/xtables.lock, type: FileOrCreate}}
`;
}
