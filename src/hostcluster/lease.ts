// One run per cluster, whichever computer it comes from: a lease on every control plane, taken in the order of the file.
import {hostname} from 'node:os';
import {TriremeError} from '../kernel/errors.ts';
import {lockHeld, type LockOwner} from '../plan/lock.ts';
import type {HostRunner} from '../ssh/runner.ts';
import {agentPaths} from './protocol.ts';
import {rootedPath} from './shell.ts';
import {isBrokenLink} from './silence.ts';

/** In ms: how often a lease is renewed, and how long one command may take. */
const times = {renew: 20_000, deadline: 30_000};
/** A lease that wasn't renewed for so long, by the host's own clock, has lost its holder; in seconds. */
const expiry = 90;

const path = rootedPath(agentPaths.lock);

// Line 1 of the input is the new owner, line 2 the one who may be replaced, or nothing. The link is made only where no file is. It's made of a whole
// file that was flushed: one that says nothing is what a power cut, or a full disk, has left of one by an older program, and is nobody's.
const takeScript = `
p=${path}
mkdir -p "\${p%/*}" || exit 1
IFS= read -r new; IFS= read -r old
t="$p.$$"
printf '%s\\n' "$new" >"$t" || { rm -f "$t"; exit 1; }
sync "$t" 2>/dev/null || sync
if [ -e "$p" ] && [ -z "$(tr -d '\\000' <"$p" 2>/dev/null)" ]; then rm -f "$p"; fi
if [ -n "$old" ] && [ "$(cat "$p" 2>/dev/null)" = "$old" ]; then rm -f "$p"; fi
if ln "$t" "$p" 2>/dev/null; then echo taken; else
  echo "held $(( $(date +%s) - $(stat -c %Y "$p" 2>/dev/null || date +%s) ))"
  cat "$p" 2>/dev/null
fi
rm -f "$t"
`;
const renewScript = `p=${path}; IFS= read -r own; [ "$(cat "$p" 2>/dev/null)" = "$own" ] && touch "$p"`;
const releaseScript = `p=${path}; IFS= read -r own; [ "$(cat "$p" 2>/dev/null)" = "$own" ] && rm -f "$p"; exit 0`;

export interface LeaseOptions {
  readonly owner: LockOwner;
  /** Take it from whoever holds it. */
  readonly breakLock: boolean;
  /** Told when a living holder's lease was broken. */
  onBroken(host: string, holder: LockOwner): void;
  runner(host: string): Promise<HostRunner>;
}

/** The leases of this run. They are renewed until `release`. */
export class Leases {
  readonly #options: LeaseOptions;
  readonly #held = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  holds(hosts: readonly string[]): boolean {
    return hosts.length > 0 && hosts.every((host) => this.#held.has(host));
  }

  /**
   * Takes the lease on each host in order; on failure those taken are given back. Returns the hosts that have become silent meanwhile: like those that
   * were silent when the run was planned they're left out, as long as there's one that isn't. Throws `lock.held`.
   */
  async acquire(hosts: readonly string[]): Promise<readonly string[]> {
    const silent: string[] = [];
    try {
      for (const host of hosts) {
        await this.#take(host).catch((error: unknown) => {
          if (!isBrokenLink(error) || silent.length === hosts.length - 1) throw error;
          silent.push(host);
        });
      }
    } catch (error) {
      await this.release();
      throw error;
    }
    this.#timer ??= setInterval(() => void this.#renew(), times.renew).unref();
    return silent;
  }

  /** Gives back what is held; hosts that don't answer keep theirs until it expires. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    const hosts = [...this.#held];
    this.#held.clear();
    await Promise.allSettled(hosts.map((host) => this.#run(host, releaseScript, `${this.#own}\n`)));
  }

  get #own(): string {
    return JSON.stringify(this.#options.owner);
  }

  async #take(host: string): Promise<void> {
    if (this.#held.has(host)) return;
    let replaced = '';
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const [first = '', holderText = ''] = (await this.#run(host, takeScript, `${this.#own}\n${replaced}\n`)).split('\n');
      if (first === 'taken') {
        this.#held.add(host);
        return;
      }
      const age = Number(first.split(' ')[1]);
      const holder = ownerIn(holderText);
      const isLiving = holder !== undefined && age <= expiry && !isGone(holder);
      if (isLiving && !this.#options.breakLock) throw heldOn(host, holder, age);
      if (isLiving) this.#options.onBroken(host, holder);
      replaced = holderText;
    }
    throw new TriremeError('lock.held', `The lease on ${host} changes hands while it is being taken.`, {host, hints: ['Try again.']});
  }

  async #renew(): Promise<void> {
    await Promise.allSettled([...this.#held].map((host) => this.#run(host, renewScript, `${this.#own}\n`)));
  }

  async #run(host: string, script: string, stdin: string): Promise<string> {
    const runner = await this.#options.runner(host);
    const result = await runner.run(script, {root: true, stdin, deadline: times.deadline, repeatable: script !== takeScript});
    if (result.code !== 0 && script === takeScript)
      throw new TriremeError('host.command-failed', `Can't write the lease on ${host}: ${result.stderr.trim().split('\n').at(-1) ?? ''}`, {
        host,
        hints: [`Is ${agentPaths.state} writable, and is there room?`],
      });
    return result.stdout;
  }
}

function ownerIn(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as LockOwner;
    return typeof owner.computer === 'string' && typeof owner.pid === 'number' ? owner : undefined;
  } catch {
    return undefined;
  }
}

/** Only this computer's processes can be looked at. */
function isGone(owner: LockOwner): boolean {
  if (owner.computer !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function heldOn(host: string, holder: LockOwner, age: number): TriremeError {
  const held = lockHeld(`the cluster of ${host}`, holder);
  return new TriremeError('lock.held', held.message, {
    host,
    hints: [`Its lease was renewed ${age} s ago; ${expiry} s after the last time it ends by itself.`, ...held.hints],
    ...(held.details === undefined ? {} : {details: held.details}),
  });
}
