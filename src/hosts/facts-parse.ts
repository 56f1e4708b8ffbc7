// From the facts script's output to HostFacts.
import {TriremeError} from '../kernel/errors.ts';
import type {HostFacts} from './facts.ts';
import {parseKernel} from './parse/kernel.ts';
import {parseNetwork} from './parse/network.ts';
import {jsonOf, stringIn, valueOf, type Sections} from './parse/pairs.ts';
import {parsePrograms} from './parse/programs.ts';
import {parseStorage} from './parse/storage.ts';
import {parseSystem} from './parse/system.ts';
import {readSections} from './script/frame.ts';
import {simulatedFacts, type SimulatedFacts} from './simulated-facts.ts';

export interface ParseOptions {
  readonly host: string;
  /** The word that the script was made with. */
  readonly boundary: string;
  /** Our clock just before and just after the call, in ms since 1970; without them the offset is 0. */
  readonly sentAt?: number;
  readonly receivedAt?: number;
  /** Whether sudo got a password. */
  readonly passwordRequired?: boolean;
}

/** Reads a facts script's output. Throws `host.facts-unreadable` when it isn't whole. */
export function parseFacts(output: string, options: ParseOptions): HostFacts {
  const sections = readSections(output, options.boundary);
  if (sections === undefined) throw unreadable(options.host, output);
  const own = {
    host: options.host,
    clockOffset: clockOffset(sections, options),
    reach: {},
    reachTool: undefined,
    mtuTo: {},
    content: (sections.get('agent-content') ?? []).filter((name) => /^[0-9a-f]{64}$/.test(name)).map((name) => `sha256:${name}`),
    lock: jsonOf(sections, 'agent-lock'),
  };
  if (sections.has('simulated')) {
    const given = (jsonOf(sections, 'simulated') ?? {}) as SimulatedFacts;
    // a simulated host may play a wrong clock
    const facts = simulatedFacts(options.host, given);
    return {...facts, ...own, clockOffset: own.clockOffset + (given.clockOffset ?? 0), agent: parseAgent(sections, {}), sudo: sudoOf(facts, options)};
  }
  const system = parseSystem(sections);
  if (system.kernel.release === '') throw unreadable(options.host, output);
  return {
    ...own,
    simulated: false,
    ...system,
    sudo: sudoOf(system, options),
    ...parseKernel(sections),
    ...parseStorage(sections),
    ...parseNetwork(sections),
    ...parsePrograms(sections, system.services),
    agent: parseAgent(sections, system.services),
  };
}

function sudoOf(facts: Pick<HostFacts, 'sudo'>, options: ParseOptions): HostFacts['sudo'] {
  return {...facts.sudo, passwordRequired: options.passwordRequired ?? false};
}

function parseAgent(sections: Sections, services: Readonly<Record<string, string>>): HostFacts['agent'] {
  const digests = jsonOf(sections, 'agent-digests');
  return {
    installed: valueOf(sections, 'agent', 'installed') === 'yes',
    active: services['trireme-agent'] === 'active' || valueOf(sections, 'agent', 'state') === 'active',
    seen: jsonOf(sections, 'agent-seen'),
    programDigest: stringIn(digests, 'program') || undefined,
    runtimeDigest: stringIn(digests, 'runtime') || undefined,
  };
}

/** As NTP reckons it (RFC 5905, 8): the mean of both ways' differences, so that a way of the same length in both directions cancels out. */
function clockOffset(sections: Sections, {sentAt, receivedAt}: ParseOptions): number {
  const start = milliseconds(valueOf(sections, 'clock', 'start'));
  const end = milliseconds(valueOf(sections, 'clock-end', 'end'));
  if (sentAt === undefined || receivedAt === undefined || start === undefined || end === undefined) return 0;
  return Math.round((start - sentAt + (end - receivedAt)) / 2);
}

/** `date +%s%N`; a date without %N (busybox) prints seconds, perhaps with the letter. */
function milliseconds(text: string): number | undefined {
  const digits = /^\d+/.exec(text)?.[0];
  if (digits === undefined) return undefined;
  return digits.length > 12 ? Number(BigInt(digits) / 1_000_000n) : Number(digits) * 1000 + 500;
}

function unreadable(host: string, output: string): TriremeError {
  const first = output.trim().split('\n')[0]?.slice(0, 200) ?? '';
  return new TriremeError(
    'host.facts-unreadable',
    `Can't read what ${host} answered to the facts script: ${first === '' ? 'it answered nothing' : `it isn't whole and begins with "${first}"`}.`,
    {
      host,
      hints: [
        "A login shell that prints text, or ends early, does this: check the files in /etc/profile.d and the root user's profile.",
        `Try: trireme host exec --limit ${host} -- true`,
      ],
    },
  );
}
