// A provider's cluster template with the file's values: the objects that we apply, each with its place in the template. Pure.
import type {KubeObject} from '../../../kube/object.ts';
import type {Complaint} from '../../../spec/complaint.ts';
import type {Finding} from '../../../spec/lint/report.ts';
import {replicasOf} from '../../../spec/machine-count.ts';
import {manifestYaml} from '../../../spec/manifest-text.ts';
import {listOr, nearest} from '../../../spec/nearest.ts';
import type {ClusterDocument, ControllerPool} from '../../../spec/schema.ts';
import {Source} from '../../../spec/source.ts';
import {locate, type Path} from '../../../spec/yaml-text.ts';
import {substitute} from '../templates/substitute.ts';
import {setImage} from './image-field.ts';

export interface TemplateText {
  /** As complaints call it. */
  readonly file: string;
  readonly text: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface RenderedTemplate {
  /** In the order of the template, in our namespace. */
  readonly objects: readonly KubeObject[];
  /** In the template: what is missing, what can't be read. */
  readonly complaints: readonly Complaint[];
  /** In the user's file. */
  readonly findings: readonly Finding[];
  /** A complaint at a field of one of the objects, in the template. */
  complain(object: number, path: Path, parts: {readonly rule: string; readonly message: string; readonly hint?: string}): Complaint;
}

const at: Path = ['spec', 'controller'];

/** What clusterctl sets itself; the file says it elsewhere than in `template.variables`. */
function builtIn(document: ClusterDocument): Readonly<Record<string, string>> {
  const {controller, kubernetes} = document.spec;
  return {
    CLUSTER_NAME: document.metadata.name,
    NAMESPACE: controller?.namespace ?? 'default',
    KUBERNETES_VERSION: kubernetes.version,
    CONTROL_PLANE_MACHINE_COUNT: String(controller?.controlPlane.replicas ?? 1),
    WORKER_MACHINE_COUNT: String((controller?.pools ?? []).reduce((sum, pool) => sum + replicasOf(pool), 0)),
  };
}

/** Fills in the variables and the pools' sizes. Values: what the file says, then the environment, then the template's defaults. */
export function renderTemplate(document: ClusterDocument, template: TemplateText, image: string | undefined): RenderedTemplate {
  const source = new Source(template.file, '/', template.text);
  const own = builtIn(document);
  const given = document.spec.controller?.template?.variables ?? {};
  const filled = substitute(source, (name) => own[name] ?? (given[name] === undefined ? template.environment[name] : String(given[name])));
  const findings = checkGiven(
    given,
    own,
    filled.variables.map(({name}) => name),
  );
  const hinted = filled.complaints.map((one) =>
    one.rule === 'template.missing-variable' ? {...one, hint: 'Write it into spec.controller.template.variables, or set it in the environment.'} : one,
  );
  const text = new Source(template.file, '/', filled.text);
  const yaml = manifestYaml(text);
  const placed = yaml.documents.filter(({value}) => value !== null && value !== undefined);
  const complain: RenderedTemplate['complain'] = (index, path, parts) => {
    const found = placed[index];
    const span = found === undefined ? {offset: 0, length: 1} : locate(found, path, 'key');
    return source.complain({offset: filled.originOf(span.offset), length: span.length}, parts);
  };
  const broken =
    hinted.length > 0
      ? []
      : [
          ...yaml.complaints,
          ...placed.flatMap(({value}, index) => objectComplaint(value, (message) => complain(index, [], {rule: 'manifest.object', message}))),
        ];
  if (hinted.length > 0 || broken.length > 0) return {objects: [], complaints: [...hinted, ...broken], findings, complain};
  const namespace = own['NAMESPACE'] ?? 'default';
  const objects = placed.map(({value}) => {
    const object = structuredClone(value) as KubeObject;
    return {...object, metadata: {...object.metadata, namespace}} as KubeObject;
  });
  const sized = withPools(document, objects);
  const imaged = image === undefined ? {objects: sized.objects, findings: []} : setImage(sized.objects, image);
  return {objects: imaged.objects, complaints: [], findings: [...findings, ...sized.findings, ...imaged.findings], complain};
}

function objectComplaint(value: unknown, complain: (message: string) => Complaint): Complaint[] {
  const object = value as {apiVersion?: unknown; kind?: unknown; metadata?: {name?: unknown}} | null;
  if (typeof object?.apiVersion !== 'string' || typeof object.kind !== 'string') return [complain('A Kubernetes object has an apiVersion and a kind.')];
  return typeof object.metadata?.name === 'string' && object.metadata.name !== '' ? [] : [complain(`The object of kind ${object.kind} has no metadata.name.`)];
}

function checkGiven(given: Readonly<Record<string, unknown>>, own: Readonly<Record<string, string>>, known: readonly string[]): Finding[] {
  return Object.keys(given).flatMap((name): Finding[] => {
    const path = [...at, 'template', 'variables', name];
    if (Object.hasOwn(own, name))
      return [
        {path, atKey: true, rule: 'variable.built-in', message: `${name} is set from the file's other fields (${own[name] ?? ''}).`, hint: 'Remove it here.'},
      ];
    if (known.includes(name)) return [];
    const meant = nearest(name, known);
    return [
      {
        path,
        atKey: true,
        rule: 'variable.unknown',
        message: `The template has no variable ${name.slice(0, 80)}.`,
        hint: meant === undefined ? `It has ${listOr(known)}.` : `Did you mean ${meant}?`,
      },
    ];
  });
}

/** A pool of the file is the MachineDeployment or MachinePool of the template with that name, with or without the cluster's before it. */
export function poolObject(objects: readonly KubeObject[], cluster: string, pool: Pick<ControllerPool, 'class' | 'kind'>): number {
  return objects.findIndex(({kind, metadata}) => kind === pool.kind && (metadata.name === pool.class || metadata.name === `${cluster}-${pool.class}`));
}

function withPools(
  document: ClusterDocument,
  objects: readonly KubeObject[],
): {readonly objects: readonly KubeObject[]; readonly findings: readonly Finding[]} {
  const {name} = document.metadata;
  const sized = [...objects];
  const findings: Finding[] = [];
  for (const [index, pool] of (document.spec.controller?.pools ?? []).entries()) {
    const found = poolObject(sized, name, pool);
    const object = sized[found];
    if (object === undefined) {
      const names = objects.filter(({kind}) => kind === pool.kind).map(({metadata}) => metadata.name.replace(new RegExp(`^${name}-`), ''));
      const meant = nearest(pool.class, names);
      findings.push({
        path: [...at, 'pools', index, 'class'],
        rule: 'template.pool-not-found',
        message: `The template has no ${pool.kind} ${pool.class} or ${name}-${pool.class}.`,
        hint: meant === undefined ? `It has ${names.join(', ') || 'none'}.` : `Did you mean ${meant}?`,
      });
      continue;
    }
    const spec = object['spec'] as Readonly<Record<string, unknown>>;
    if (pool.autoscale === undefined) sized[found] = {...object, spec: {...spec, replicas: replicasOf(pool)}};
    else {
      const {replicas: _replicas, ...rest} = spec;
      const bounds = {
        'cluster.x-k8s.io/cluster-api-autoscaler-node-group-min-size': String(pool.autoscale.min),
        'cluster.x-k8s.io/cluster-api-autoscaler-node-group-max-size': String(pool.autoscale.max),
      };
      sized[found] = {...object, metadata: {...object.metadata, annotations: {...object.metadata.annotations, ...bounds}}, spec: rest};
    }
  }
  return {objects: sized, findings};
}
