// Images of containers in components: which there are, and the overrides of clusterctl.yaml.
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {listAt, textAt, valueAt} from '../../../kube/object.ts';
import type {ImageOverride} from './configuration.ts';

const workloads: readonly string[] = ['Deployment', 'DaemonSet'];

function containerLists(object: KubeObject): readonly string[] {
  return workloads.includes(object.kind) ? ['containers', 'initContainers'] : [];
}

/** Images that the objects' Deployments and DaemonSets run, each once. */
export function imagesOf(objects: readonly KubeObject[]): readonly string[] {
  const found = objects.flatMap((object) =>
    containerLists(object).flatMap((list) => listAt(object, 'spec', 'template', 'spec', list).flatMap((container) => textAt(container, 'image') ?? [])),
  );
  return [...new Set(found)].toSorted();
}

/** True for what Cluster API's contract calls a provider's controller: a Deployment with a container `manager`. */
export function isManagerDeployment(object: KubeObject): boolean {
  return object.kind === 'Deployment' && listAt(object, 'spec', 'template', 'spec', 'containers').some((container) => textAt(container, 'name') === 'manager');
}

/** The object with its images overridden for `component`. */
export function overrideImages(object: KubeObject, component: string, overrides: Readonly<Record<string, ImageOverride>>): KubeObject {
  const lists = containerLists(object).filter((list) => valueAt(object, 'spec', 'template', 'spec', list) !== undefined);
  if (lists.length === 0) return object;
  const copy = structuredClone(object) as KubeObject;
  for (const list of lists) {
    for (const container of listAt(copy, 'spec', 'template', 'spec', list) as {image?: unknown}[]) {
      if (typeof container.image === 'string') container.image = overrideImage(container.image, component, overrides);
    }
  }
  return copy;
}

/** `all`, then the component, then component/image: the later goes over the earlier, field by field. A digest stays as it is. */
export function overrideImage(image: string, component: string, overrides: Readonly<Record<string, ImageOverride>>): string {
  const match = /^(.+)\/([^/:@]+)(?::([^/@]+))?(@.+)?$/.exec(image);
  const name = match?.[2] ?? image.split(/[:@]/)[0] ?? image;
  const applying = ['all', component, `${component}/${name}`].flatMap((key) => overrides[key] ?? []);
  if (applying.length === 0) return image;
  if (match === null)
    throw new TriremeError(
      'provider.repository-invalid',
      `The image ${image} has no registry in its name, so the image overrides of ${component} can't be applied.`,
    );
  const {repository, name: other, tag} = Object.assign({}, ...applying) as ImageOverride;
  const newTag = tag ?? match[3];
  return `${(repository ?? (match[1] as string)).replace(/\/$/, '')}/${other ?? name}${newTag === undefined ? '' : `:${newTag}`}${match[4] ?? ''}`;
}
