// What the file wants and can't be had, found before anything is written. The rules are those of Cluster API's own webhooks
// (core/webhooks/admission/cluster.go, v1.14), so that a plan says them, with the file's place, before they do. Pure.
import type {Finding} from '../../../spec/lint/report.ts';
import {listOr, nearest} from '../../../spec/nearest.ts';
import type {ClusterDocument} from '../../../spec/schema.ts';
import {parseVersion, type Version} from '../../../spec/versions.ts';
import {textAt, valueAt} from '../../../kube/object.ts';
import type {ClassFacts, TemplateRef} from './cluster-class.ts';
import type {TopologyFacts} from './facts.ts';
import {pendingHooksAnnotation, skipVersionCheckAnnotation} from './names.ts';
import {fromServed} from './render-cluster.ts';

const versionPath = ['spec', 'kubernetes', 'version'];
const classPath = ['spec', 'controller', 'class'];

/** Complaints about the class, the pools and the version; the variables' are check-variables.ts'. */
export function findRefusals(document: ClusterDocument, facts: TopologyFacts): readonly Finding[] {
  return [...refuseState(facts), ...refuseClass(document, facts), ...refusePools(document, facts), ...refuseVersion(document, facts)];
}

function refuseState(facts: TopologyFacts): Finding[] {
  const {live} = facts;
  if (live?.metadata.deletionTimestamp !== undefined)
    return [
      {
        path: ['metadata', 'name'],
        rule: 'cluster.deleting',
        message: `The cluster ${live.metadata.name} is being deleted since ${live.metadata.deletionTimestamp}.`,
        hint: 'Wait until it is gone, then apply again.',
      },
    ];
  return [];
}

function refuseClass(document: ClusterDocument, facts: TopologyFacts): Finding[] {
  const {class: name = '', classNamespace, namespace} = document.spec.controller ?? {};
  const where = classNamespace ?? namespace ?? '';
  if (facts.class === undefined) {
    const meant = nearest(name, facts.classes);
    const known = facts.classes.length === 0 ? `The namespace ${where} has none.` : `The namespace ${where} has ${listOr(facts.classes)}.`;
    return [
      {
        path: classPath,
        rule: 'class.not-found',
        message: `There is no ClusterClass ${name} in the namespace ${where}.`,
        hint: meant === undefined ? known : `Did you mean ${meant}?`,
      },
    ];
  }
  if (facts.live === undefined) return [];
  const old = liveClassName(facts);
  if (old === undefined)
    return [
      {
        path: classPath,
        rule: 'class.not-managed',
        message: `The cluster ${document.metadata.name} was made without a class; one can't be given to it later.`,
        hint: 'Keep on with its template, or make a new cluster of the class.',
      },
    ];
  if (facts.oldClass === undefined) return [];
  return incompatibilities(facts.oldClass, facts.class).map((what) => ({
    path: classPath,
    rule: 'class.incompatible',
    message: `The cluster can't go from class ${facts.oldClass?.name ?? ''} to ${name}: ${what}.`,
    hint: 'Both classes must be made of the same kinds.',
  }));
}

export function liveClassName(facts: Pick<TopologyFacts, 'live'>): string | undefined {
  return facts.live === undefined ? undefined : textAt(fromServed(facts.live), 'spec', 'topology', 'classRef', 'name');
}

/** A rebase keeps groups and kinds of infrastructure and control plane; of workers the infrastructure's. */
function incompatibilities(old: ClassFacts, wanted: ClassFacts): readonly string[] {
  const other = (what: string, from: TemplateRef | undefined, to: TemplateRef | undefined) =>
    from?.group === to?.group && from?.kind === to?.kind ? [] : [`its ${what} is ${to?.kind ?? 'nothing'}, not ${from?.kind ?? 'nothing'}`];
  return [
    ...other('infrastructure', old.infrastructure, wanted.infrastructure),
    ...other('control plane', old.controlPlane, wanted.controlPlane),
    ...other("control plane's machine template", old.controlPlaneMachines, wanted.controlPlaneMachines),
    ...wanted.workers.flatMap((worker) => {
      const before = old.workers.find((one) => one.class === worker.class && one.kind === worker.kind);
      return before === undefined ? [] : other(`template of worker class ${worker.class}`, before.infrastructure, worker.infrastructure);
    }),
  ];
}

function refusePools(document: ClusterDocument, facts: TopologyFacts): Finding[] {
  const {workers} = facts.class ?? {};
  if (workers === undefined) return [];
  return (document.spec.controller?.pools ?? []).flatMap((pool, index): Finding[] => {
    const path = ['spec', 'controller', 'pools', index];
    const found = workers.find((worker) => worker.class === pool.class && worker.kind === pool.kind);
    if (found === undefined) {
      const names = workers.filter((worker) => worker.kind === pool.kind).map((worker) => worker.class);
      const otherKind = workers.find((worker) => worker.class === pool.class);
      const meant = nearest(pool.class, names);
      return [
        {
          path: [...path, 'class'],
          rule: 'class.worker-not-found',
          message: `The class ${facts.class?.name ?? ''} has no ${pool.kind} class ${pool.class}.`,
          hint:
            otherKind !== undefined
              ? `${pool.class} is a ${otherKind.kind}: write kind: ${otherKind.kind}.`
              : meant !== undefined
                ? `Did you mean ${meant}?`
                : `It has ${names.join(', ') || 'none'}.`,
        },
      ];
    }
    if (found.isAutoscaled && pool.autoscale === undefined && pool.replicas !== undefined)
      return [
        {
          path: [...path, 'replicas'],
          rule: 'controller.autoscale',
          message: `The worker class ${pool.class} is autoscaled: its pools have no number of machines of their own.`,
          hint: 'Remove replicas, or write autoscale: {min: 1, max: 5}.',
        },
      ];
    return [];
  });
}

function refuseVersion(document: ClusterDocument, facts: TopologyFacts): Finding[] {
  const wanted = document.spec.kubernetes.version;
  const offered = facts.class?.kubernetesVersions ?? [];
  if (offered.length > 0 && !offered.includes(wanted))
    return [
      {
        path: versionPath,
        rule: 'version.not-offered',
        message: `The class ${facts.class?.name ?? ''} doesn't have Kubernetes ${wanted}.`,
        hint: `It has ${listOr(offered)}.`,
      },
    ];
  const current = facts.live === undefined ? undefined : textAt(facts.live, 'spec', 'topology', 'version');
  if (facts.live === undefined || current === undefined || current === wanted) return [];
  const annotations = {...facts.live.metadata.annotations, ...document.spec.controller?.annotations};
  if (Object.hasOwn(annotations, skipVersionCheckAnnotation)) return [];
  const step = stepProblem(current, wanted, offered.length > 0 || facts.class?.hasUpgradePlan === true);
  if (step !== undefined) return [{path: versionPath, ...step}];
  const reasons = whyNotNow(facts, current);
  if (reasons.length === 0) return [];
  return [
    {
      path: versionPath,
      rule: 'version.busy',
      message: `Kubernetes can't go from ${current} to ${wanted} now: ${reasons.join('; ')}.`,
      hint: 'Wait until it is done: trireme status --wait',
    },
  ];
}

/** Never down; one minor at a time, unless the class chains them. */
export function stepProblem(
  from: string,
  to: string,
  isChained: boolean,
): {readonly rule: string; readonly message: string; readonly hint?: string} | undefined {
  const a = parseVersion(from);
  const b = parseVersion(to);
  if (a === undefined || b === undefined) return undefined;
  if (order(b, a) < 0) return {rule: 'version.downgrade', message: `${to} is older than the ${from} that the cluster has; Kubernetes can't go back.`};
  if (a.major !== b.major) return {rule: 'version.major', message: `From ${from} to ${to} the major version changes; there is no way between them.`};
  if (!isChained && b.minor > a.minor + 1)
    return {
      rule: 'version.minor-skipped',
      message: `From ${from} to ${to} a minor version is skipped.`,
      hint: `Go to v${a.major}.${a.minor + 1} first; a class with kubernetesVersions does it by itself.`,
    };
  return undefined;
}

/** As the webhook compares: without what is behind a dash. */
function order(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

/** What still goes on from before, and so forbids another version. */
export function whyNotNow(facts: TopologyFacts, current: string): readonly string[] {
  const reasons: string[] = [];
  const {controlPlane} = facts;
  if (controlPlane === undefined) reasons.push('the cluster has no control plane yet; it is being made');
  else if (controlPlane.version !== '') {
    if (!same(controlPlane.version, current)) reasons.push(`its control plane is asked for ${controlPlane.version} and not yet for ${current}`);
    else if (controlPlane.statusVersions.length === 0) reasons.push('its control plane is being made');
    else if (controlPlane.statusVersions.some((version) => isOlder(version, controlPlane.version)))
      reasons.push(`its control plane is still being upgraded (it has ${[...new Set(controlPlane.statusVersions)].join(', ')})`);
  }
  for (const pool of facts.pools) {
    if (pool.version !== '' && !same(pool.version, current)) reasons.push(`the pool ${pool.pool} has ${pool.version}, not yet ${current}`);
    else if (pool.behind.length > 0) reasons.push(`machines of the pool ${pool.pool} are still being upgraded: ${pool.behind.join(', ')}`);
  }
  const hooks = String(valueAt(facts.live, 'metadata', 'annotations', pendingHooksAnnotation) ?? '')
    .split(',')
    .map((hook) => hook.trim());
  // it is pending all through an upgrade, and a reason of its own only in the end
  if (reasons.length === 0 && hooks.includes('AfterClusterUpgrade')) reasons.push('the hook AfterClusterUpgrade of the last upgrade still blocks');
  return reasons;
}

function same(a: string, b: string): boolean {
  return a.replace(/^v/, '') === b.replace(/^v/, '');
}

function isOlder(version: string, than: string): boolean {
  const a = parseVersion(version);
  const b = parseVersion(than);
  return a !== undefined && b !== undefined && order(a, b) < 0;
}

/** The minors that a chained upgrade goes through, the last of each that the class has. */
export function chainOf(from: string, to: string, offered: readonly string[]): readonly string[] {
  const start = parseVersion(from);
  const end = parseVersion(to);
  if (start === undefined || end === undefined || end.minor <= start.minor + 1) return [];
  const chain: string[] = [];
  for (let minor = start.minor + 1; minor < end.minor; minor += 1) {
    const best = offered
      .flatMap((text) => {
        const version = parseVersion(text);
        return version === undefined || version.major !== end.major || version.minor !== minor ? [] : [{text, version}];
      })
      .toSorted((a, b) => order(a.version, b.version))
      .at(-1);
    if (best !== undefined) chain.push(best.text);
  }
  return [...chain, to];
}
