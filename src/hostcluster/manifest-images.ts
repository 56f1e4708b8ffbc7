// The container images that a cluster's file and its manifests ask for: hosts have no internet, so each must be in their content.
import {parseAllDocuments} from 'yaml';
import {endpointImage} from '../bundle/sources.ts';
import type {DesiredCluster} from '../spec/desired.ts';

/** What a cluster needs beside the images of its Kubernetes version: those of its layers, and of an endpoint that the control planes serve. */
export function imagesOfCluster(cluster: DesiredCluster): readonly string[] {
  return [...new Set([...imagesOfLayers(cluster), ...servedBy(cluster)])];
}

/** Images that only control planes run. One that a layer names, too, may run anywhere. */
export function controlPlaneImages(cluster: DesiredCluster): readonly string[] {
  const anywhere = new Set(imagesOfLayers(cluster));
  return servedBy(cluster).filter((image) => !anywhere.has(image));
}

const imagesOfLayers = (cluster: DesiredCluster) => imagesInManifests(cluster.layers.map((layer) => layer.manifest));

const servedBy = ({document}: DesiredCluster) => (document.spec.endpoint.type === 'vip' ? [endpointImage] : []);

/** References of images in these manifests (texts of several YAML documents), each once, in order of their names. */
export function imagesInManifests(manifests: readonly string[]): readonly string[] {
  const images = new Set<string>();
  for (const manifest of manifests) {
    for (const document of parseAllDocuments(manifest)) collect('errors' in document ? document.toJS() : undefined, images);
  }
  return [...images].toSorted();
}

/** Pods are everywhere: in Deployments, DaemonSets, Jobs, CronJobs and custom resources. What they share is a list of containers. */
function collect(value: unknown, images: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, images);
    return;
  }
  if (value === null || typeof value !== 'object') return;
  for (const [key, item] of Object.entries(value)) {
    const isContainers = (key === 'containers' || key === 'initContainers') && Array.isArray(item);
    if (isContainers)
      for (const container of item as readonly {readonly image?: unknown}[])
        if (typeof container?.image === 'string' && container.image !== '') images.add(container.image);
    collect(item, images);
  }
}
