// All content that is wanted lies on the host, and is what its digest says.
import {TriremeError} from '../../kernel/errors.ts';
import {agentPaths, type ContentItem, type Wanted} from '../../hostcluster/protocol.ts';
import {digestOfFile, stampOf} from '../file-step.ts';
import type {AgentStep, Reconciler, Target} from '../reconciler.ts';

/** Path of a blob on the host. */
export function blobPath(digest: string): string {
  return `${agentPaths.content}/${digest.replace('sha256:', '')}`;
}

function blobsOf(item: ContentItem): readonly {readonly digest: string; readonly size: number}[] {
  return item.blobs ?? [item];
}

/** Verifies every blob once; afterwards size and time of change tell that it's still the same. */
export const content: Reconciler = {
  name: 'content',
  needs: [],
  inputs: ['content'],
  outputs: [agentPaths.content],
  interval: 60_000,
  waitsFor: async (target) => {
    const missing = await missingContent(target);
    return missing.length === 0
      ? undefined
      : `the operator's push of ${missing.length} item${missing.length === 1 ? '' : 's'}: ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', …' : ''}`;
  },
  steps: ({wanted}) => wanted.content.map(verifyStep),
};

async function missingContent({host, wanted}: Target): Promise<readonly string[]> {
  const names: string[] = [];
  for (const item of wanted.content) {
    const found = await Promise.all(blobsOf(item).map((blob) => host.exists(blobPath(blob.digest))));
    if (found.includes(false)) names.push(item.name);
  }
  return names;
}

function verifyStep(item: ContentItem): AgentStep {
  const unverified = async ({host, records}: Target) => {
    const list = [];
    for (const {digest} of blobsOf(item)) {
      const stamp = await stampOf(host.path(blobPath(digest)));
      if (stamp === undefined || records.get(`verified.${digest}`) !== stamp) list.push(digest);
    }
    return list;
  };
  return {
    id: `verify:${item.digest}`,
    title: `Verify ${item.name}`,
    effect: 'none',
    check: async ({scope}) => ((await unverified(scope)).length === 0 ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      for (const digest of await unverified(scope)) {
        const path = scope.host.path(blobPath(digest));
        const stamp = await stampOf(path);
        if ((await digestOfFile(path)) !== digest) {
          // gone, so that the next push sends it again
          await scope.host.remove(blobPath(digest));
          throw new TriremeError(
            'bundle.damaged',
            `${item.name} on ${scope.host.name} isn't what its digest says (${digest.slice(0, 19)}…); the damaged copy is removed.`,
            {
              host: scope.host.name,
              hints: ['Send it again: trireme apply'],
            },
          );
        }
        await scope.records.set(`verified.${digest}`, stamp);
      }
    },
  };
}

/** The item of this name; throws `bundle.incomplete` when wanted has none. */
export function requireContent(wanted: Wanted, name: string): ContentItem {
  const item = findContent(wanted, name);
  if (item === undefined)
    throw new TriremeError('bundle.incomplete', `The content for ${wanted.node.name} has no ${name}.`, {
      host: wanted.node.name,
      hints: ['trireme bundle verify tells what a bundle lacks.'],
    });
  return item;
}

export function findContent(wanted: Wanted, name: string): ContentItem | undefined {
  return wanted.content.find((item) => item.name === name);
}
