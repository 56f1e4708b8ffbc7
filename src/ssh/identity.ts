// Which keys are offered to a host, in which order: those that were asked for first, as OpenSSH does.
import type {BaseAgent, ParsedKey} from 'ssh2';
import {TriremeError} from '../kernel/errors.ts';
import type {KeyFiles} from './key-file.ts';
import {fingerprint} from './known-hosts.ts';
import type {ResolvedTarget} from './target.ts';

/** A key that can be offered. */
export interface Identity {
  readonly source: 'agent' | 'file';
  /** Path, or the agent's comment. */
  readonly name: string;
  /** `SHA256:...`; undefined while an encrypted file doesn't tell its public key. */
  readonly fingerprint: string | undefined;
  /** Agent: what signs with it. */
  readonly agent?: BaseAgent;
  /** Named by the cluster's file. */
  readonly explicit: boolean;
}

export interface Identities {
  readonly list: readonly Identity[];
  /** What can't be offered, and why; told when authentication fails. */
  readonly left: readonly string[];
}

interface AgentKey {
  readonly key: ParsedKey;
  readonly agent: BaseAgent;
}

/** The agents that a command talks to; each is asked for its keys once. */
export class Agents {
  readonly #keys = new Map<string, Promise<readonly AgentKey[] | string>>();

  /** The keys of the agent at a socket, or why there are none. */
  keys(socket: string): Promise<readonly AgentKey[] | string> {
    let keys = this.#keys.get(socket);
    if (keys === undefined) this.#keys.set(socket, (keys = listKeys(socket)));
    return keys;
  }
}

async function listKeys(socket: string): Promise<readonly AgentKey[] | string> {
  const {default: ssh2} = await import('ssh2');
  const agent = ssh2.createAgent(socket);
  const keys = await new Promise<readonly ParsedKey[] | string>((resolve) => {
    agent.getIdentities((error, found) => {
      if (error) return resolve(`the agent at ${socket} doesn't answer (${error.message})`);
      // a kind of key that ssh2 doesn't know (a security key's, a certificate) is an Error in the list
      resolve((found ?? []).flatMap((key) => (typeof key === 'object' && 'getPublicSSH' in key ? [key as ParsedKey] : [])));
    });
  });
  if (typeof keys === 'string') return keys;
  /** Offers one key of the agent, so that we know which one the server took. */
  class OneKeyAgent extends ssh2.BaseAgent {
    readonly #key: ParsedKey;
    constructor(key: ParsedKey) {
      super();
      this.#key = key;
    }
    override getIdentities(done: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
      done(undefined, [this.#key]);
    }
    // typed loosely: the options may be left out
    override sign(...args: unknown[]): void {
      (agent.sign as (...all: unknown[]) => void).apply(agent, args);
    }
  }
  return keys.map((key) => ({key, agent: new OneKeyAgent(key) as unknown as BaseAgent}));
}

/**
 * The order: the key that the cluster's file names, agent keys that ssh_config names, other agent keys (not with IdentitiesOnly), key files. A key
 * that the agent holds is offered through the agent. Throws `file.not-found` when the named key isn't there.
 */
export async function gatherIdentities(target: ResolvedTarget, keyFiles: KeyFiles, agents: Agents): Promise<Identities> {
  const left: string[] = [];
  const agentKeys: AgentKey[] = [];
  if (target.identityAgent !== undefined) {
    const keys = await agents.keys(target.identityAgent);
    if (typeof keys === 'string') left.push(keys);
    else agentKeys.push(...keys);
  }
  const paths = [...new Set([...(target.identityFile === undefined ? [] : [target.identityFile]), ...target.identityFiles])];
  const taken = new Set<AgentKey>();
  const named: Identity[] = [];
  const fromAgent: Identity[] = [];
  const fromFile: Identity[] = [];
  for (const path of paths) {
    const explicit = path === target.identityFile;
    const file = await keyFiles.look(path);
    if (file.state === 'missing' && explicit) {
      throw new TriremeError('file.not-found', `The private key ${path} for ${target.host} doesn't exist.`, {
        host: target.host,
        hints: ['Name another key in the file, at ssh.identityFile.'],
      });
    }
    if (file.state === 'unusable') left.push(`${path}: ${file.why}`);
    const publicKey = file.state === 'present' ? file.publicKey : undefined;
    const held = publicKey === undefined ? undefined : agentKeys.find(({key}) => key.getPublicSSH().equals(publicKey));
    if (held !== undefined) {
      taken.add(held);
      (explicit ? named : fromAgent).push({...agentIdentity(held), name: path, explicit});
    } else if (file.state === 'present') {
      (explicit ? named : fromFile).push({source: 'file', name: path, fingerprint: publicKey === undefined ? undefined : fingerprint(publicKey), explicit});
    }
  }
  const others = target.identitiesOnly ? [] : agentKeys.filter((key) => !taken.has(key)).map(agentIdentity);
  return {list: [...named, ...fromAgent, ...others, ...fromFile], left};
}

function agentIdentity({key, agent}: AgentKey): Identity {
  return {source: 'agent', name: key.comment || key.type, fingerprint: fingerprint(key.getPublicSSH()), agent, explicit: false};
}
