// The agent refuses a protocol that it doesn't speak; an older one is replaced by apply.
import {seenAgent} from '../../agent-seen.ts';
import type {HostCheck} from '../check.ts';

export const agentCompatible: HostCheck = {
  id: 'agent-compatible',
  title: "The host's agent and this program understand each other",
  severity: 'error',
  scope: 'host',
  run: ({facts}, {protocol}) => {
    const seen = seenAgent(facts);
    if (seen?.protocol === undefined || seen.protocol <= protocol) return [];
    return [
      {
        observed: `agent ${seen.version} speaks protocol ${seen.protocol}`,
        wanted: `protocol ${protocol} or older`,
        remedy: 'use the trireme version that installed this agent, or a newer one',
      },
    ];
  },
};
