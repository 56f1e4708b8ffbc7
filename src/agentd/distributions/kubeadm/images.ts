// The images among the content, by the last part of their repository.
import type {ContentItem, Wanted} from '../../../hostcluster/protocol.ts';

export interface ImageReference {
  readonly item: ContentItem;
  readonly reference: string;
  /** `registry.k8s.io/coredns/coredns` */
  readonly repository: string;
  readonly tag: string;
}

/** Every image that is wanted on this host. */
export function imagesOf(wanted: Pick<Wanted, 'content'>): readonly ImageReference[] {
  return wanted.content
    .filter((item) => item.kind === 'image')
    .map((item) => {
      const reference = item.reference ?? item.name.replace(/^image:/, '');
      const plain = reference.replace(/@.*$/, '');
      const colon = plain.lastIndexOf(':');
      const hasTag = colon > plain.lastIndexOf('/');
      return {item, reference, repository: hasTag ? plain.slice(0, colon) : plain, tag: hasTag ? plain.slice(colon + 1) : 'latest'};
    });
}

/** The image whose repository ends with this name, such as `etcd`. */
export function imageNamed(wanted: Pick<Wanted, 'content'>, name: string): ImageReference | undefined {
  return imagesOf(wanted).find((image) => image.repository.split('/').at(-1) === name);
}
