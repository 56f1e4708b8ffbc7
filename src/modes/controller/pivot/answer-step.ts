// The first look at the new cluster: it answers, and what was planned for it fits.
import {isTriremeError, TriremeError} from '../../../kernel/errors.ts';
import {waitFor} from '../../../kernel/retry.ts';
import type {Step} from '../../../plan/plan.ts';
import type {Library} from '../providers/facts.ts';
import {readInventory} from '../providers/inventory.ts';
import type {AskedProviders} from '../providers/plan-init.ts';
import {prepareInit, type PrepareOptions} from '../providers/prepare-init.ts';
import {parseProviderRequest, type ProviderType} from '../providers/provider.ts';
import {isPassing} from '../providers/write-objects.ts';
import type {PivotScope} from './scope.ts';

export interface AnswerWork {
  readonly asked: AskedProviders;
  readonly library: Library;
  readonly options: PrepareOptions;
  /** In ms. */
  readonly timeout: number;
  readonly host: string;
}

/** What speaks against the providers there (rights, other versions) is told before the first of them is written. */
export function answerStep({asked, library, options, timeout, host}: AnswerWork): Step<PivotScope> {
  const wanted = (Object.keys(asked) as ProviderType[]).flatMap((type) =>
    (asked[type] ?? []).filter((text) => text !== '-').map((text) => parseProviderRequest(text, type)),
  );
  return {
    id: 'pivot/answers',
    title: 'Wait until the new cluster answers, and look at it',
    host,
    effect: 'none',
    check: async ({scope, signal}) => {
      const {api} = await scope.target(signal);
      try {
        const there = await readInventory(api, signal);
        return wanted.every((one) => there.some(({name, type, version}) => name === one.name && type === one.type && version === one.version))
          ? 'satisfied'
          : 'needed';
      } catch (error) {
        if (isComing(error)) return 'needed';
        throw error;
      }
    },
    apply: async ({scope, signal, stopping}) => {
      const {api} = await scope.target(signal);
      if (api.server === scope.bootstrap.api.server)
        throw new TriremeError('usage.invalid', `The new cluster and the bootstrap cluster are the same: ${api.server}.`);
      const look = async () => {
        try {
          return await api.serverVersion({signal});
        } catch (error) {
          if (isComing(error)) return undefined;
          throw error;
        }
      };
      const version = await waitFor(look, {timeout, interval: 1000, signal: stopping});
      if (version === undefined)
        throw new TriremeError('wait.timed-out', `${api.server} doesn't answer after ${timeout / 1000} s.`, {
          hints: ['Is it reachable from this computer? The cluster is made; run the same command again.'],
        });
      await prepareInit(api, library, asked, options);
      return `Kubernetes ${version}, nothing speaks against the providers`;
    },
  };
}

/** Nobody answers yet, or a load balancer says that nobody is behind it. */
function isComing(error: unknown): boolean {
  return isPassing(error) || (isTriremeError(error) && error.code === 'api.unreachable');
}
