// The new version's images on every host before the first one is touched: as soon as the last control plane is upgraded, kube-proxy's and DNS's pods run
// with them everywhere.
import {digestOfValue} from '../../kernel/digest.ts';
import {TriremeError} from '../../kernel/errors.ts';
import type {Step} from '../../plan/plan.ts';
import type {HostWork} from '../assess.ts';
import type {AgentState, Wanted} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';
import {followHost} from './converge.ts';

/** What the host is now, with the images of what it shall be. Its own come first, because components are rendered from them. */
export function stagedWanted(before: Wanted, after: Wanted): Wanted {
  const known = new Set(before.content.map((item) => item.name));
  const more = after.content.filter((item) => item.kind === 'image' && !known.has(item.name));
  return more.length === 0 ? before : {...before, content: [...before.content, ...more]};
}

/** Has the host's agent import the images that it will need, and waits until it has. */
export function prepareStep(work: HostWork): Step<HostClusterScope> {
  const host = work.host.name;
  const before = work.member.seen?.wanted;
  const staged = before === undefined || before === null ? undefined : stagedWanted(before, work.wanted);
  const digest = staged === undefined ? '' : digestOfValue(staged);
  const hasImages = (state: AgentState) => state.wantedDigest === digest && state.reconcilers.find((one) => one.name === 'images')?.status === 'done';
  return {
    id: `prepare:${host}`,
    title: 'Import the new images',
    host,
    effect: 'none',
    check: async ({scope}) => {
      const isReady = staged === undefined || hasImages(await (await scope.link(host)).state());
      if (isReady) scope.progress.prepared.add(host);
      return isReady ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      if (staged === undefined) return undefined;
      await (await context.scope.link(host)).putWanted({wanted: staged}, {signal: context.signal});
      await followHost(context, {host, digest, step: `prepare:${host}`, isDone: hasImages});
      context.scope.progress.prepared.add(host);
      return 'has the new images';
    },
  };
}

/** Nobody is touched unless all have what they need. */
export function preparedGate(works: readonly HostWork[]): Step<HostClusterScope> {
  const hosts = works.map((work) => work.host.name);
  return {
    id: 'gate:prepared',
    title: 'See that every host has the content',
    effect: 'none',
    check: async ({scope}) => (hosts.every((host) => scope.progress.prepared.has(host)) ? 'satisfied' : 'needed'),
    apply: async ({scope}) => {
      const lacking = hosts.filter((host) => !scope.progress.prepared.has(host));
      throw new TriremeError(
        'run.failed',
        `${lacking.join(', ')} ${lacking.length === 1 ? 'lacks' : 'lack'} content of the new version, so no host is touched.`,
        {
          hints: ['Mend what failed, then: trireme apply --resume', `Or leave ${lacking.length === 1 ? 'it' : 'them'} out: --limit`],
        },
      );
    },
  };
}
