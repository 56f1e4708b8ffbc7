// The agent's own files: what is wanted, its secrets, and what was seen. Each is replaced whole, so a power cut leaves the old or the new.
import {readdir, readFile, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {digestOfValue} from '../kernel/digest.ts';
import {writeFileAtomic} from '../kernel/files.ts';
import {TriremeError} from '../kernel/errors.ts';
import {isFullDisk} from '../kernel/problem.ts';
import {agentPaths, protocol, type AgentState, type PutWanted, type Secrets, type Wanted} from '../hostcluster/protocol.ts';
import {isMissing} from './host-system.ts';

/** Parses a JSON file; undefined when it doesn't exist. A file that isn't JSON counts as absent: it is written anew. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

/** Of a script of the operator's that still runs, the temporary file is younger than this, in ms. */
const scriptTime = 10_000;

/** Takes away what a power cut has left of writes that never came to their names: the agent's own, and those of the operator's scripts. */
async function sweepState(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const isOwn = /\.[0-9a-f]{12}\.tmp$/.test(name);
    const isScripts = /^(lock|secrets)\.json\.\d+$/.test(name) && Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? 0) > scriptTime;
    if (isOwn || isScripts) await rm(path, {force: true});
  }
}

/** Wanted and secrets as they are on disk. */
export class WantedStore {
  readonly #at: (path: string) => string;
  wanted: Wanted | null = null;
  secrets: Secrets | null = null;

  constructor(at: (path: string) => string) {
    this.#at = at;
  }

  async load(): Promise<void> {
    await sweepState(this.#at(agentPaths.state));
    this.wanted = (await readJson<Wanted>(this.#at(agentPaths.wanted))) ?? null;
    this.secrets = (await readJson<Secrets>(this.#at(agentPaths.secrets))) ?? null;
  }

  /** Asked for at every look, so each document's digest is computed once. */
  get wantedDigest(): string {
    return this.wanted === null ? '' : digestOnce(this.wanted);
  }

  get secretsDigest(): string {
    return this.secrets === null ? '' : digestOnce(this.secrets);
  }

  /** Takes what is wanted from now on; returns false when nothing is new. Throws `agent.incompatible`, `cluster.foreign`, `usage.invalid`. */
  async put(body: PutWanted): Promise<boolean> {
    const {wanted, secrets} = requireValid(body);
    if (this.wanted !== null && this.wanted.cluster.id !== wanted.cluster.id) {
      throw new TriremeError(
        'cluster.foreign',
        `This host belongs to the cluster ${this.wanted.cluster.name} (${this.wanted.cluster.id}), not to ${wanted.cluster.name} (${wanted.cluster.id}).`,
        {
          host: this.wanted.node.name,
          hints: ['Take the host out of its cluster first: trireme host reset', 'Check that the file names the right host.'],
        },
      );
    }
    // secrets first: a control plane must never want to begin without them
    let changed = false;
    if (secrets !== undefined && digestOfValue(secrets) !== this.secretsDigest) {
      await writeFileAtomic(this.#at(agentPaths.secrets), `${JSON.stringify(secrets)}\n`, {mode: 0o600});
      this.secrets = secrets;
      changed = true;
    }
    if (digestOfValue(wanted) !== this.wantedDigest) {
      await writeFileAtomic(this.#at(agentPaths.wanted), `${JSON.stringify(wanted)}\n`, {mode: 0o600});
      this.wanted = wanted;
      changed = true;
    }
    return changed;
  }
}

const digests = new WeakMap<object, string>();

/** The digest of a document that never changes: it is replaced by another object. */
function digestOnce(value: object): string {
  const known = digests.get(value) ?? digestOfValue(value);
  digests.set(value, known);
  return known;
}

function requireValid(body: unknown): PutWanted {
  const {wanted, secrets} = (body ?? {}) as Partial<PutWanted>;
  const invalid = (what: string) => new TriremeError('usage.invalid', `The wanted document can't be used: ${what}.`);
  if (wanted === undefined || wanted === null || typeof wanted !== 'object') throw invalid('`wanted` is missing');
  if (wanted.protocol !== protocol) {
    const older = Number(wanted.protocol) < protocol ? 'the program that sent it' : 'the agent on this host';
    throw new TriremeError(
      'agent.incompatible',
      `This agent speaks protocol ${protocol}, the document has protocol ${String(wanted.protocol)}: ${older} is older.`,
      {
        hints: [
          Number(wanted.protocol) < protocol ? 'Use a newer trireme on the computer that you work from.' : 'Let trireme apply push the newer agent first.',
        ],
        details: {agent: protocol, document: wanted.protocol},
      },
    );
  }
  for (const key of ['cluster', 'node', 'endpoint', 'network', 'configuration', 'drift'] as const) {
    if (typeof wanted[key] !== 'object' || wanted[key] === null) throw invalid(`\`wanted.${key}\` is missing`);
  }
  for (const key of ['content', 'files', 'layers'] as const) if (!Array.isArray(wanted[key])) throw invalid(`\`wanted.${key}\` isn't a list`);
  if (wanted.role !== 'control-plane' && wanted.role !== 'worker') throw invalid(`\`wanted.role\` is ${String(wanted.role)}`);
  if (wanted.distribution !== 'kubeadm' && wanted.distribution !== 'simulated') throw invalid(`\`wanted.distribution\` is ${String(wanted.distribution)}`);
  if (secrets !== undefined && (typeof secrets.bootstrapToken !== 'string' || typeof secrets.ca?.certificate !== 'string'))
    throw invalid('`secrets` lacks the token or the CA');
  return {wanted, ...(secrets === undefined ? {} : {secrets})};
}

/** Writes seen.json, only when something but the time is new. */
export class SeenFile {
  readonly #path: string;
  #digest = '';
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Resolves when it's on disk, or has found no room there. */
  async write(state: AgentState): Promise<void> {
    // wanted is the bulk of it, and its digest is in there beside it
    const digest = digestOfValue({...state, wanted: null});
    if (digest === this.#digest) return this.#writing;
    this.#digest = digest;
    const writing = this.#writing.then(() => writeFileAtomic(this.#path, `${JSON.stringify(state)}\n`, {mode: 0o600}));
    this.#writing = writing.catch(() => {});
    try {
      await writing;
    } catch (error) {
      // a full disk must not end the agent; the next write tells it all
      this.#digest = '';
      if (!isFullDisk(error)) throw error;
    }
  }
}
