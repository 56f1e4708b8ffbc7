// Rules about labels, taints and kernel parameters.
import type {AgentHost, ClusterDocument, ComponentConfiguration, Taint} from '../schema.ts';
import type {Path} from '../yaml-text.ts';
import type {Report} from './report.ts';

const nameForm = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const prefixForm = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Why a qualified name (label or taint key) isn't one; https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/. */
export function qualifiedNameProblem(key: string): string | undefined {
  const [first = '', second, ...rest] = key.split('/');
  if (rest.length > 0) return 'has more than one slash';
  const [prefix, word] = second === undefined ? [undefined, first] : [first, second];
  if (prefix !== undefined && (prefix.length > 253 || !prefixForm.test(prefix))) return 'has a prefix that is no DNS name in lower case';
  if (!nameForm.test(word))
    return 'must have letters, digits, dashes, underscores and dots, begin and end with a letter or digit, and have at most 63 characters after the slash';
  return undefined;
}

const isKubernetesPrefix = (prefix: string) => ['kubernetes.io', 'k8s.io'].some((domain) => prefix === domain || prefix.endsWith(`.${domain}`));

/** Labels below Kubernetes' own domains that people may set; NodeRestriction and the node controllers own the rest. */
const settable = new Set([
  'topology.kubernetes.io',
  'node-restriction.kubernetes.io',
  'kubelet.kubernetes.io',
  'node.kubernetes.io',
  'node-role.kubernetes.io',
]);

export function lintNodes(cluster: ClusterDocument, report: Report): void {
  lintSysctls(cluster.spec.configuration, ['spec', 'configuration'], report);
  for (const [index, host] of (cluster.spec.agent?.hosts ?? []).entries()) {
    const path = ['spec', 'agent', 'hosts', index];
    lintLabels(host.labels, path, report, (key) => reservedLabel(key, host.role));
    lintTaints(host.taints ?? [], path, report);
    lintSysctls(host.configuration, [...path, 'configuration'], report);
  }
}

/** The form of labels, and what is reserved by `reserved`. */
export function lintLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: Path,
  report: Report,
  reserved: (key: string) => string | undefined = () => undefined,
): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    const problem = qualifiedNameProblem(key);
    if (problem !== undefined)
      report.error({path: [...path, 'labels', key], atKey: true, rule: 'label.key', message: `The label key ${key.slice(0, 80)} ${problem}.`});
    if (value !== '' && !nameForm.test(value))
      report.error({
        path: [...path, 'labels', key],
        rule: 'label.value',
        message: `The value of label ${key.slice(0, 80)} must have letters, digits, dashes, underscores and dots, begin and end with a letter or digit, and have at most 63 characters.`,
      });
    const why = reserved(key);
    if (why !== undefined)
      report.error({
        path: [...path, 'labels', key],
        atKey: true,
        rule: 'label.reserved',
        message: `The label ${key} can't be set: ${why}.`,
        hint: 'Use a label of your own, such as example.com/zone.',
      });
  }
}

function reservedLabel(key: string, role: AgentHost['role']): string | undefined {
  const slash = key.indexOf('/');
  const prefix = slash === -1 ? '' : key.slice(0, slash);
  if (prefix === 'trireme.dev' || prefix.endsWith('.trireme.dev')) return 'Trireme keeps labels of this prefix itself';
  if (key === 'node-role.kubernetes.io/control-plane') return role === 'control-plane' ? 'the role sets it' : 'the host is a worker';
  if (!isKubernetesPrefix(prefix)) return undefined;
  if (key === 'kubernetes.io/hostname' || key === 'kubernetes.io/os' || key === 'kubernetes.io/arch') return 'the kubelet sets it to what it finds';
  return settable.has(prefix) ? undefined : `${prefix} belongs to Kubernetes`;
}

export function lintTaints(taints: readonly Taint[], path: Path, report: Report): void {
  const seen = new Set<string>();
  for (const [index, taint] of taints.entries()) {
    const here = [...path, 'taints', index];
    const problem = qualifiedNameProblem(taint.key);
    if (problem !== undefined) report.error({path: [...here, 'key'], rule: 'taint.key', message: `The taint key ${taint.key.slice(0, 80)} ${problem}.`});
    if (taint.value !== undefined && taint.value !== '' && !nameForm.test(taint.value))
      report.error({
        path: [...here, 'value'],
        rule: 'taint.value',
        message: `The value of taint ${taint.key.slice(0, 80)} must have letters, digits, dashes, underscores and dots, and at most 63 characters.`,
      });
    if (taint.key.startsWith('node.kubernetes.io/') || taint.key.startsWith('node.cloudprovider.kubernetes.io/'))
      report.error({
        path: [...here, 'key'],
        rule: 'taint.reserved',
        message: `The taint ${taint.key} can't be kept: Kubernetes sets and removes it by the node's condition.`,
      });
    const twin = `${taint.key}:${taint.effect}`;
    if (seen.has(twin)) report.error({path: here, rule: 'taint.duplicate', message: `The taint ${twin} is there twice; a node has one per key and effect.`});
    seen.add(twin);
  }
}

function lintSysctls(configuration: ComponentConfiguration | undefined, path: Path, report: Report): void {
  for (const [key, value] of Object.entries(configuration?.sysctls ?? {})) {
    const here = [...path, 'sysctls', key];
    if (!/^[a-z0-9_]+(\.[A-Za-z0-9_*@-]+(\/[A-Za-z0-9_-]+)*)+$/.test(key)) {
      report.error({
        path: here,
        atKey: true,
        rule: 'sysctl.name',
        message: `${JSON.stringify(key.slice(0, 80))} is no kernel parameter.`,
        hint: key.includes('/')
          ? 'Write it with dots: net.ipv4.ip_forward; a slash only stands for a dot in the name of an interface.'
          : 'Write it like net.core.somaxconn.',
      });
    }
    if (/[\r\n\0]/.test(String(value)) || String(value).trim() === '')
      report.error({path: here, rule: 'sysctl.value', message: `The value of ${key.slice(0, 80)} must be one line of text or a number.`});
    if (key === 'net.ipv4.ip_forward' && String(value) === '0')
      report.error({
        path: here,
        rule: 'sysctl.breaks',
        message: 'net.ipv4.ip_forward = 0 cuts the pods off: the host must forward their packets.',
        hint: 'Remove the line.',
      });
  }
}
