// What is wanted, and the secrets that its role needs, to a host's agent. From then on the host converges by itself.
import {digestOfValue} from '../../kernel/digest.ts';
import {highestEffect} from '../../plan/effect.ts';
import type {Step} from '../../plan/plan.ts';
import type {HostWork} from '../assess.ts';
import type {Wanted} from '../protocol.ts';
import type {HostClusterScope} from '../scope.ts';
import {secretsForRole} from '../secrets.ts';
import {askPatiently} from './ask-patiently.ts';

/** The document as it's handed over: with the id that the cluster has only since its secrets were made. */
export function finalWanted(work: HostWork, scope: HostClusterScope): Wanted {
  const {wanted} = work;
  return wanted.cluster.id === '' ? {...wanted, cluster: {...wanted.cluster, id: scope.secrets.clusterId}} : wanted;
}

/** Hands a host what it shall be. */
export function handOverStep(work: HostWork): Step<HostClusterScope> {
  const host = work.host.name;
  return {
    id: `wanted:${host}`,
    title: 'Hand over what is wanted',
    host,
    effect: work.isNew ? 'none' : highestEffect(work.changes.map((change) => change.effect)),
    check: async (context) => {
      const {scope} = context;
      const state = await askPatiently(context, host, (link) => link.state());
      scope.progress.eventsSeen.set(host, state.lastSeq);
      return state.wantedDigest === digestOfValue(finalWanted(work, scope)) && state.secretsDigest !== '' ? 'satisfied' : 'needed';
    },
    apply: async (context) => {
      const {scope, signal} = context;
      const secrets = work.givesSecrets ? {secrets: secretsForRole(scope.secrets.require(), work.wanted.role)} : {};
      // the same document twice is the same wish
      await askPatiently(context, host, (link) => link.putWanted({wanted: finalWanted(work, scope), ...secrets}, {signal}));
    },
  };
}
