// Looks at the keys that hosts, and the jump hosts before them, show; nothing is logged in to.
import {TriremeError} from '../kernel/errors.ts';
import type {SeenKeys} from '../wizard/context.ts';
import type {Look} from '../wizard/host-facts.ts';
import {createSshContext, type SshContext} from '../ssh/context.ts';
import {connectThrough} from '../ssh/jump-hosts.ts';
import {fingerprint, judgeHostKey, keyType, readKnownHosts, recordHostKeys, type HostKeyAlgorithm, type KeyVerdict} from '../ssh/known-hosts.ts';
import {parseHop, resolveTarget, type HostTarget, type ResolvedTarget} from '../ssh/target.ts';

export interface SeenKey {
  readonly type: string;
  readonly fingerprint: string;
  readonly verdict: KeyVerdict['outcome'];
  readonly key: Buffer;
}

export interface SeenHost {
  /** What people call it: its name in the file, or the jump host's address. */
  readonly host: string;
  /** As in known_hosts. */
  readonly name: string;
  /** Where new keys go. */
  readonly file: string;
  readonly hashed: boolean;
  readonly keys: readonly SeenKey[];
}

/** One connection shows one key: a host is asked for each kind. */
const kinds: readonly (readonly HostKeyAlgorithm[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
];
/** After these nothing else is tried: no other kind of key would help. */
const hopeless: ReadonlySet<string> = new Set([
  'host.name-unresolved',
  'host.port-closed',
  'host.key-unknown',
  'host.key-changed',
  'host.key-revoked',
  'host.authentication-failed',
]);

/** The jump hosts of a target, in order, each as a target of its own. */
export async function jumpTargets(target: HostTarget, context: SshContext): Promise<readonly HostTarget[]> {
  const {jump} = await resolveTarget(target, context.env);
  return jump.map((text, index) => {
    const hop = parseHop(text);
    return {
      ...hop,
      host: hop.address,
      ...(index === 0 ? {} : {jump: jump.slice(0, index)}),
      ...(target.configFile === undefined ? {} : {configFile: target.configFile}),
      ...(target.knownHostsFiles === undefined ? {} : {knownHostsFiles: target.knownHostsFiles}),
      ...(target.identityFile === undefined ? {} : {identityFile: target.identityFile}),
      ...(target.passphrase === undefined ? {} : {passphrase: target.passphrase}),
    };
  });
}

/** The keys that a host shows, and what known_hosts says of each. Throws `host.*` when it shows none. */
export async function lookAtHost(target: HostTarget, context: SshContext): Promise<SeenHost> {
  const resolved = await resolveTarget(target, context.env);
  const [name] = resolved.keyNames;
  const [file] = resolved.knownHostsFiles;
  if (name === undefined || file === undefined)
    throw new TriremeError('host.key-unknown', `There's no known_hosts file to record the key of ${target.host} in.`, {host: target.host});
  const lines = await readKnownHosts(resolved.knownHostsFiles);
  const keys = await readKeys(resolved, context);
  return {
    host: target.host,
    name,
    file,
    hashed: resolved.hashKnownHosts,
    keys: keys.map((key) => ({type: keyType(key), fingerprint: fingerprint(key), verdict: judgeHostKey(lines, resolved.keyNames, key).outcome, key})),
  };
}

async function readKeys(target: ResolvedTarget, context: SshContext): Promise<readonly Buffer[]> {
  const keys: Buffer[] = [];
  let failure: unknown;
  for (const algorithms of kinds) {
    const before = keys.length;
    try {
      (await connectThrough(target, {context, look: {algorithms, seen: (key) => keys.push(Buffer.from(key))}})).close();
    } catch (error) {
      if (keys.length > before) continue; // looking always ends by refusing the key
      failure ??= error;
      if (error instanceof TriremeError && hopeless.has(error.code)) break;
    }
  }
  if (keys.length === 0) throw failure;
  return keys;
}

/**
 * Of hosts whose first connection failed the keys that known_hosts doesn't know, with a way to record them. Jump hosts come first: behind an unknown one
 * nothing else is seen. A changed or revoked key isn't among them: it is no question for a wizard.
 */
export async function unknownKeysOf(looks: readonly Look[]): Promise<readonly SeenKeys[]> {
  const context = createSshContext();
  const found = new Map<string, SeenKeys>();
  for (const look of looks) {
    if (!('problem' in look) || look.problem.code !== 'host.key-unknown') continue;
    for (const target of [...(await jumpTargets(look.target, context)), look.target]) {
      const seen = await lookAtHost(target, context).catch(() => undefined);
      const keys = seen?.keys.filter((key) => key.verdict === 'unknown') ?? [];
      if (seen === undefined || keys.length === 0) continue;
      found.set(seen.name, {
        entry: look.entry,
        lines: keys.map((key) => `${target.host} ${seen.name}: ${key.type} ${key.fingerprint}`),
        record: () => recordHostKeys({file: seen.file, name: seen.name, hashed: seen.hashed, replace: false, keys: keys.map(({key}) => key)}),
      });
      break;
    }
  }
  return [...found.values()];
}
