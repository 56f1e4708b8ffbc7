// The facts that a person asks for first, as lines.
import type {HostFacts} from './facts.ts';
import {seenAgent} from './agent-seen.ts';

const gibibytes = (mebibytes: number) => `${(mebibytes / 1024).toFixed(1)} GiB`;

/** Name and value, in an order of reading; values are one line each. */
export function factRows(facts: HostFacts): readonly (readonly [name: string, value: string])[] {
  const seen = seenAgent(facts);
  const agent = !facts.agent.installed
    ? 'not installed'
    : `${facts.agent.active ? 'active' : 'stopped'}${seen === undefined ? '' : `, version ${seen.version}${seen.cluster === undefined ? '' : `, cluster ${seen.cluster}`}`}`;
  const rows: readonly (readonly [string, string] | undefined)[] = [
    ['host', `${facts.host}${facts.simulated ? ' (SIMULATED)' : ''}`],
    ['host name', facts.hostname],
    ['operating system', facts.os.name],
    ['kernel', `${facts.kernel.release} ${facts.kernel.architecture}`],
    ['init', facts.systemdVersion === undefined ? facts.initSystem : `systemd ${facts.systemdVersion}`],
    ['virtualization', facts.virtualization],
    ['processors', String(facts.cpus)],
    ['memory', `${gibibytes(facts.memory.total)}, ${gibibytes(facts.memory.available)} available`],
    ['swap', facts.swapOn ? facts.swaps.join(', ') : 'off'],
    ['cgroup', `v${facts.cgroup.version}: ${facts.cgroup.controllers.join(' ')}`],
    ['clock', `${(facts.clockOffset / 1000).toFixed(3)} s ahead of this computer, ${facts.timeService ?? 'no time service'}`],
    ...facts.mounts.map((mount): readonly [string, string] => [
      `mount ${mount.path}`,
      `${mount.fileSystem}, ${gibibytes(mount.free)} of ${gibibytes(mount.size)} free`,
    ]),
    ...facts.interfaces
      .filter(({name}) => name !== 'lo')
      .map((item): readonly [string, string] => [
        `interface ${item.name}`,
        `${item.up ? 'up' : 'down'}, ${item.addresses.join(' ') || 'no address'}, MTU ${item.mtu}`,
      ]),
    ['default route', facts.defaultRoute === undefined ? 'none' : `${facts.defaultRoute.interface} ${facts.defaultRoute.address}`],
    ['name servers', [...facts.resolvConf.nameservers, ...facts.resolvConf.upstream].join(' ') || 'none'],
    ['firewall', facts.firewall.active ? `${facts.firewall.program}, ${facts.firewall.rules} rules for this host` : 'none active'],
    ['SELinux', facts.selinux],
    ['AppArmor', facts.apparmor ? 'enabled' : 'off'],
    ['machine id', facts.machineId],
    ['leftovers', facts.leftovers.join(', ') || 'none'],
    ['content', `${facts.content.length} blobs`],
    ['agent', agent],
  ];
  return rows.filter((row) => row !== undefined && row[1] !== '') as readonly (readonly [string, string])[];
}
