// What `apply` calls: all content of a cluster, pinned and present on this computer.
import {fetchContent, type FetchOptions, type ResolvedContent} from './fetch.ts';
import {pinContent, type ContentRequest} from './pin.ts';

export {fetchContent, type FetchOptions, type ResolvedContent} from './fetch.ts';
export {pinContent, type ContentRequest, type PinnedContent} from './pin.ts';

/** Pins and fetches in one call. A plan needs only `pinContent`; `fetchContent` comes before any host is touched. */
export async function resolveContent(request: ContentRequest & Pick<FetchOptions, 'onProgress' | 'digests'>): Promise<ResolvedContent> {
  const {signal, onProgress, digests} = request;
  return fetchContent(await pinContent(request), {
    ...(signal === undefined ? {} : {signal}),
    ...(onProgress === undefined ? {} : {onProgress}),
    ...(digests === undefined ? {} : {digests}),
  });
}
