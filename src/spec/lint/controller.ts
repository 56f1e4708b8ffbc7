// Rules about `spec.controller` that need no management cluster. What a class allows is known only there, and checked by the plan.
import type {ClusterDocument, ControllerPool, ControllerSettings} from '../schema.ts';
import type {Path} from '../yaml-text.ts';
import {lintLabels, lintTaints, qualifiedNameProblem} from './nodes.ts';
import type {Report} from './report.ts';

const at: Path = ['spec', 'controller'];

/** Annotations that the cluster autoscaler reads; `autoscale` writes them. */
const autoscalerAnnotation = /^cluster\.x-k8s\.io\/cluster-api-autoscaler-node-group-(min|max)-size$/;

/** Sections of the file that only hosts have, with the reason why controller mode has none. */
const hostSections: readonly {readonly key: string; readonly why: string; readonly instead: string}[] = [
  {
    key: 'configuration',
    why: "in controller mode the components' settings are in the templates of the class",
    instead: 'Set them in the class, or by one of its variables in spec.controller.variables.',
  },
  {key: 'bundle', why: "in controller mode the machines' content is in the image that the provider boots", instead: 'Remove it.'},
  {key: 'endpoint', why: 'in controller mode the infrastructure makes the endpoint', instead: 'Remove it; where a class wants one, it has a variable for it.'},
  {
    key: 'rollout',
    why: 'in controller mode Cluster API replaces machines as the class says',
    instead: 'Remove it; the class says how many machines go at once.',
  },
];

export function lintController(cluster: ClusterDocument, report: Report): void {
  refuseHostSections(report);
  const controller = cluster.spec.controller;
  if (controller === undefined) return;
  lintWay(controller, report);
  lintControlPlane(controller, report);
  lintPools(controller, report);
  lintLabels(controller.labels, [...at, 'labels'], report, clusterLabelProblem);
  lintAnnotations(controller.annotations, [...at, 'annotations'], report);
}

/** Defaults fill these sections in: whether they were written is seen in the text only. */
function refuseHostSections(report: Report): void {
  const spec = (report.document.value as {spec?: unknown} | null)?.spec;
  if (spec === null || typeof spec !== 'object') return;
  for (const {key, why, instead} of hostSections) {
    if ((spec as Record<string, unknown>)[key] !== undefined)
      report.error({path: ['spec', key], atKey: true, rule: 'mode.section', message: `spec.${key} can't be used: ${why}.`, hint: instead});
  }
}

function lintWay(controller: ControllerSettings, report: Report): void {
  const {class: className, classNamespace, template, variables} = controller;
  if (className === undefined && template === undefined)
    report.error({
      path: at,
      atKey: true,
      rule: 'controller.class',
      message: 'spec.controller says neither a class nor a template: nothing says what the cluster is made of.',
      hint: 'Write spec.controller.class with the name of a ClusterClass, or spec.controller.template.',
    });
  if (className !== undefined && template !== undefined)
    report.error({
      path: [...at, 'template'],
      atKey: true,
      rule: 'controller.class',
      message: `There is a class, ${className}, and a template; a cluster is made of one of them.`,
      hint: 'Remove one of them.',
    });
  if (classNamespace !== undefined && className === undefined)
    report.error({path: [...at, 'classNamespace'], atKey: true, rule: 'controller.class', message: 'classNamespace needs a class.'});
  if (template === undefined) return;
  if ((template.file === undefined) === (template.provider === undefined))
    report.error({
      path: [...at, 'template'],
      atKey: true,
      rule: 'controller.template',
      message: 'A template is either a file or one of a provider.',
      hint: 'Write template: {file: cluster-template.yaml} or template: {provider: docker}.',
    });
  if (template.flavor !== undefined && template.provider === undefined)
    report.error({path: [...at, 'template', 'flavor'], rule: 'controller.template', message: 'A flavor chooses among the templates of a provider.'});
  if (variables !== undefined && className === undefined)
    report.error({
      path: [...at, 'variables'],
      atKey: true,
      rule: 'controller.template',
      message: 'spec.controller.variables are those of a class; this cluster has a template.',
      hint: "The values of a template's ${VARIABLES} are written in spec.controller.template.variables.",
    });
}

function lintControlPlane(controller: ControllerSettings, report: Report): void {
  const {controlPlane} = controller;
  const path = [...at, 'controlPlane'];
  if (controlPlane.replicas > 0 && controlPlane.replicas % 2 === 0)
    report.error({
      path: [...path, 'replicas'],
      rule: 'controller.even-control-planes',
      message: `${controlPlane.replicas} control planes: their etcd needs an odd number, since a vote of two halves decides nothing.`,
      hint: `Write ${controlPlane.replicas - 1} or ${controlPlane.replicas + 1}.`,
    });
  if (controller.template !== undefined) refuseOfTemplate(controlPlane, ['labels', 'annotations', 'taints', 'variables'], path, report);
  lintMachineMetadata(controlPlane, path, report);
}

function lintPools(controller: ControllerSettings, report: Report): void {
  const names = new Map<string, number>();
  for (const [index, pool] of controller.pools.entries()) {
    const path = [...at, 'pools', index];
    const twin = names.get(pool.name);
    if (twin !== undefined)
      report.error({
        path: [...path, 'name'],
        rule: 'controller.duplicate-pool',
        message: `Two pools have the name ${pool.name}: number ${twin + 1} and ${index + 1}.`,
      });
    names.set(pool.name, twin ?? index);
    lintReplicas(pool, path, report);
    if (controller.template !== undefined) refuseOfTemplate(pool, ['labels', 'annotations', 'taints', 'variables', 'failureDomain'], path, report);
    lintMachineMetadata(pool, path, report);
  }
}

function lintReplicas(pool: ControllerPool, path: Path, report: Report): void {
  const {autoscale} = pool;
  if (autoscale === undefined) return;
  if (pool.replicas !== undefined)
    report.error({
      path: [...path, 'replicas'],
      rule: 'controller.autoscale',
      message: `The pool ${pool.name} has replicas and autoscale: with autoscale the autoscaler says how many machines there are.`,
      hint: 'Remove one of them.',
    });
  if (autoscale.min > autoscale.max)
    report.error({
      path: [...path, 'autoscale', 'min'],
      rule: 'controller.autoscale',
      message: `The pool ${pool.name} shall have at least ${autoscale.min} and at most ${autoscale.max} machines; no number is both.`,
    });
}

function refuseOfTemplate<T extends object>(section: T, keys: readonly (keyof T & string)[], path: Path, report: Report): void {
  for (const key of keys) {
    if (section[key] !== undefined)
      report.error({
        path: [...path, key],
        atKey: true,
        rule: 'controller.template',
        message: `${key} is for clusters with a class; with a template, the template says it.`,
        hint: 'Write it into the template.',
      });
  }
}

function lintMachineMetadata(section: Pick<ControllerPool, 'labels' | 'annotations' | 'taints'>, path: Path, report: Report): void {
  lintLabels(section.labels, [...path, 'labels'], report, clusterLabelProblem);
  lintAnnotations(section.annotations, [...path, 'annotations'], report);
  lintTaints(section.taints ?? [], path, report);
}

function lintAnnotations(annotations: Readonly<Record<string, string>> | undefined, path: Path, report: Report): void {
  for (const key of Object.keys(annotations ?? {})) {
    const problem = qualifiedNameProblem(key.toLowerCase());
    if (problem !== undefined)
      report.error({path: [...path, key], atKey: true, rule: 'annotation.key', message: `The annotation key ${key.slice(0, 80)} ${problem}.`});
    if (autoscalerAnnotation.test(key))
      report.error({
        path: [...path, key],
        atKey: true,
        rule: 'controller.autoscale',
        message: `${key} is written by autoscale.`,
        hint: 'Write autoscale: {min: 1, max: 5}.',
      });
  }
}

/** Labels by which Cluster API finds its objects again. */
const ownLabels = new Set(
  ['cluster-name', 'control-plane', 'control-plane-name', 'deployment-name', 'set-name', 'pool-name'].map((name) => `cluster.x-k8s.io/${name}`),
);

function clusterLabelProblem(key: string): string | undefined {
  return ownLabels.has(key) || key.startsWith('topology.cluster.x-k8s.io/') ? 'Cluster API finds its objects by it, and sets it itself' : undefined;
}
