// How a real host is: its files, mounts, interfaces, packet filter, units, kernel parameters. To hold against how it was.
import type {Bed} from './bed.ts';

export type Snapshot = Readonly<
  Record<'files' | 'content' | 'run' | 'mounts' | 'interfaces' | 'addresses' | 'firewall' | 'units' | 'parameters', readonly string[]>
>;

/** What a system writes by itself: logs, caches of its own tools, what a login leaves. */
const prune = [
  '/proc',
  '/sys',
  '/dev',
  '/run',
  '/tmp',
  '/var/tmp',
  '/var/log',
  '/var/cache',
  '/root',
  '/home',
  '/var/lib/systemd',
  '/var/lib/private',
  '/var/lib/sudo',
]
  .map((path) => `-path ${path}`)
  .join(' -o ');

const scripts: Readonly<Record<keyof Snapshot, string>> = {
  files: `find / -xdev \\( ${prune} \\) -prune -o -printf '%p %y %m %U:%G %l\\n'`,
  content: 'find /etc /usr/local /opt -xdev -type f ! -name machine-id -exec sha256sum {} +',
  run: "find /run -xdev \\( -path /run/systemd -o -path /run/user -o -path /run/udev -o -path /run/log -o -path /run/sudo -o -path '/run/motd*' \\) -prune -o -printf '%p %y\\n'",
  mounts: "findmnt -rn -o TARGET,FSTYPE | grep -v '^/run/user'",
  // /sys may show another network namespace
  interfaces: "ip -o link show | awk -F': ' '{print $2}' | cut -d@ -f1",
  addresses: "ip -o address show scope global | awk '{print $2, $4}'",
  firewall: "nft list ruleset | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'",
  units: `systemctl list-unit-files --no-legend --plain | awk '{print $1, $2}' | grep -v '^session-'; systemctl list-units --type=service,socket --all --no-legend --plain | awk '$4 == "running" || $4 == "failed" {print "unit", $1, $4}' | grep -v 'user@\\|session\\|systemd-timedated\\|systemd-hostnamed'`,
  parameters: 'for key in net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables; do sysctl -n $key 2>/dev/null || echo none; done',
};

/** SSH answers before all units have come up. A boot that never comes to its end isn't waited for. */
const untilBooted = 'timeout 60 systemctl is-system-running --wait >/dev/null 2>&1; true';

export async function snapshotOf(bed: Bed, index: number): Promise<Snapshot> {
  await bed.ssh(index, untilBooted);
  const entries = await Promise.all(
    (Object.keys(scripts) as (keyof Snapshot)[]).map(async (part) => {
      const lines = (await bed.ssh(index, scripts[part])).split('\n').filter((line) => line !== '');
      return [part, part === 'parameters' || part === 'firewall' ? lines : lines.toSorted()] as const;
    }),
  );
  return Object.fromEntries(entries) as unknown as Snapshot;
}

/** Lines that came and lines that went, with the part that they're of. */
export function differencesOf(before: Snapshot, after: Snapshot): readonly string[] {
  return (Object.keys(scripts) as (keyof Snapshot)[]).flatMap((part) => {
    const [old, now] = [new Set(before[part]), new Set(after[part])];
    return [
      ...after[part].filter((line) => !old.has(line)).map((line) => `+ ${part}: ${line}`),
      ...before[part].filter((line) => !now.has(line)).map((line) => `- ${part}: ${line}`),
    ];
  });
}
