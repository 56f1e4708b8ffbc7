// From the script's sections about the system to facts.
import type {HostFacts} from '../facts.ts';
import {recordOf, valueOf, valuesOf, type Sections} from './pairs.ts';

type SystemFacts = Pick<
  HostFacts,
  | 'os'
  | 'kernel'
  | 'architecture'
  | 'initSystem'
  | 'systemdVersion'
  | 'virtualization'
  | 'hostname'
  | 'machineId'
  | 'bootId'
  | 'cpus'
  | 'memory'
  | 'swapOn'
  | 'swaps'
  | 'cgroup'
  | 'clockSynchronized'
  | 'timeService'
  | 'services'
  | 'sudo'
>;

/** From the kernel's names (uname -m) to ours. */
export const architectures: Readonly<Record<string, 'amd64' | 'arm64'>> = {x86_64: 'amd64', amd64: 'amd64', aarch64: 'arm64', arm64: 'arm64'};

const timeServices = ['systemd-timesyncd', 'chrony', 'chronyd', 'ntp', 'ntpd', 'ntpsec'];

/** Reads the sections os, system, memory, swaps, cgroup, services and time. */
export function parseSystem(sections: Sections): SystemFacts {
  const [release = '', machine = ''] = valueOf(sections, 'system', 'uname').split(/\s+/);
  const systemd = valueOf(sections, 'system', 'systemd');
  const services = parseServices(sections.get('services') ?? []);
  const swaps = (sections.get('swaps') ?? [])
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? '')
    .filter((name) => name !== '');
  const memory = parseMemory(sections.get('memory') ?? []);
  return {
    os: parseOsRelease(sections.get('os') ?? []),
    kernel: {release, architecture: machine},
    architecture: architectures[machine],
    initSystem: systemd === '' ? valueOf(sections, 'system', 'init') : 'systemd',
    systemdVersion: systemd === '' ? undefined : Number(/^systemd (\d+)/.exec(systemd)?.[1] ?? Number.NaN) || undefined,
    virtualization: valueOf(sections, 'system', 'virtualization'),
    hostname: valueOf(sections, 'system', 'hostname'),
    machineId: valueOf(sections, 'system', 'machine-id'),
    bootId: valueOf(sections, 'system', 'boot-id'),
    cpus: Number(valueOf(sections, 'system', 'nproc')) || countRange(valueOf(sections, 'system', 'cpus')),
    memory,
    swapOn: swaps.length > 0,
    swaps,
    cgroup: {
      version: valueOf(sections, 'cgroup', 'version') === '2' ? 2 : 1,
      controllers: valueOf(sections, 'cgroup', 'controllers')
        .split(' ')
        .filter((name) => name !== '')
        .concat(valuesOf(sections, 'cgroup', 'v1')),
    },
    clockSynchronized: parseSynchronized(sections),
    timeService: timeServices.find((name) => services[name] === 'active'),
    services,
    sudo: {root: valueOf(sections, 'system', 'uid') === '0', passwordRequired: false},
  };
}

/** os-release(5): shell-like assignments. */
function parseOsRelease(lines: readonly string[]): HostFacts['os'] {
  const entries = lines.map((line) => /^([A-Z_]+)=(.*)$/.exec(line)).filter((match) => match !== null);
  const values = Object.fromEntries(entries.map((match) => [match[1], (match[2] ?? '').trim().replace(/^(["'])(.*)\1$/, '$2')]));
  return {
    id: values['ID'] ?? 'unknown',
    idLike: (values['ID_LIKE'] ?? '').split(' ').filter((name: string) => name !== ''),
    versionId: values['VERSION_ID'] ?? '',
    name: values['PRETTY_NAME'] ?? values['NAME'] ?? 'unknown',
    variant: values['VARIANT_ID'] ?? '',
  };
}

/** /proc/meminfo is in KiB. */
function parseMemory(lines: readonly string[]): HostFacts['memory'] {
  const mebibytes = (key: string) => Math.floor(Number(/(\d+) kB/.exec(lines.find((line) => line.startsWith(`${key}:`)) ?? '')?.[1] ?? 0) / 1024);
  return {total: mebibytes('MemTotal'), available: mebibytes('MemAvailable'), swap: mebibytes('SwapTotal')};
}

/** `0-3,6` are five. */
function countRange(text: string): number {
  return text
    .split(',')
    .map((part) => /^(\d+)(?:-(\d+))?$/.exec(part.trim()))
    .reduce((sum, match) => sum + (match === null ? 0 : Number(match[2] ?? match[1]) - Number(match[1]) + 1), 0);
}

/** Blocks of `systemctl show`; a unit that isn't installed is left out. */
function parseServices(lines: readonly string[]): Readonly<Record<string, string>> {
  const services: Record<string, string> = {};
  for (const block of lines.join('\n').split('\n\n')) {
    const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(block)?.[1] ?? '';
    const unit = value('Id').replace(/\.service$/, '');
    if (unit !== '' && value('LoadState') === 'loaded') services[unit] = value('ActiveState');
  }
  return services;
}

function parseSynchronized(sections: Sections): boolean | undefined {
  const time = recordOf(sections, 'time');
  if (time['synchronized'] === 'yes') return true;
  if (time['synchronized'] === 'no') return false;
  // chronyc -c prints one CSV line that ends with the leap status
  if (time['chrony'] !== undefined && time['chrony'] !== '') return !time['chrony'].includes('Not synchronised');
  return undefined;
}
