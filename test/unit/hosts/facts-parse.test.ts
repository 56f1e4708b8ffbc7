import {describe, expect, it} from 'vitest';
import {mountOf} from '../../../src/hosts/facts.ts';
import {parseFacts} from '../../../src/hosts/facts-parse.ts';
import {recorded, recordedBoundary} from './scene.ts';

const boundary = recordedBoundary;
const parse = (output: string, extra: object = {}) => parseFacts(output, {host: 'h1', boundary, ...extra});

/** Replaces one section's lines in a recorded output. */
function withSection(output: string, name: string, lines: readonly string[]): string {
  const start = output.indexOf(`${boundary} ${name}\n`);
  if (start === -1) throw new Error(`no section ${name}`);
  const end = output.indexOf(`\n${boundary} `, start + 1);
  return `${output.slice(0, start)}${boundary} ${name}\n${lines.join('\n')}\n${output.slice(end)}`;
}

describe('facts of a recorded healthy host', () => {
  const facts = parse(recorded('debian-13-healthy'));

  it('tells who it is', () => {
    expect(facts).toMatchObject({
      host: 'h1',
      simulated: false,
      os: {id: 'debian', versionId: '13', name: 'Debian GNU/Linux 13 (trixie)'},
      architecture: 'amd64',
      initSystem: 'systemd',
      systemdVersion: 257,
      virtualization: 'kvm',
      hostname: 'h1',
      machineId: '5f0c6e2ad5a84b0cbb0f4a7e2c3d9e11',
      cpus: 4,
      cgroup: {version: 2},
      timeService: 'systemd-timesyncd',
      clockSynchronized: true,
      swapOn: false,
      sudo: {root: true},
    });
    expect(facts.memory.total).toBe(24_105);
  });

  it('reads mounts with size, options and propagation', () => {
    expect(facts.mounts).toEqual([
      {path: '/', fileSystem: 'ext4', options: ['rw', 'relatime'], shared: true, size: 30_081, free: 26_170, inodes: 1_966_080, freeInodes: 1_897_532},
      {
        path: '/var',
        fileSystem: 'xfs',
        options: ['rw', 'nosuid', 'relatime'],
        shared: true,
        size: 102_350,
        free: 100_971,
        inodes: 52_428_800,
        freeInodes: 52_425_252,
      },
    ]);
    expect(mountOf(facts, '/var/lib/kubelet')?.path).toBe('/var');
    expect(mountOf(facts, '/variable')?.path).toBe('/');
  });

  it('reads interfaces and routes without link-local addresses', () => {
    expect(facts.interfaces.find(({name}) => name === 'ens3')).toEqual({
      name: 'ens3',
      mac: '52:54:00:12:34:01',
      mtu: 1500,
      up: true,
      physical: true,
      addresses: ['10.77.0.11/24'],
      leased: [],
    });
    expect(facts.routes).toEqual([
      {network: '0.0.0.0/0', interface: 'ens3', gateway: '10.77.0.1', metric: 100},
      {network: '10.77.0.0/24', interface: 'ens3', gateway: undefined, metric: 100},
    ]);
    expect(facts.defaultRoute).toEqual({interface: 'ens3', address: '10.77.0.11'});
  });

  it('reads listeners with their programs', () => {
    expect(facts.listening).toEqual([
      {protocol: 'tcp', address: '0.0.0.0', port: 22, program: 'sshd'},
      {protocol: 'tcp', address: '::', port: 22, program: 'sshd'},
      {protocol: 'udp', address: '127.0.0.53', port: 53, program: 'systemd-resolve'},
    ]);
  });

  it('tells a stub resolver from its upstream servers', () => {
    expect(facts.resolvConf).toEqual({nameservers: ['127.0.0.53'], stub: true, upstream: ['10.77.0.1'], search: ['example.org']});
  });

  it('leaves units that are not installed out of the services', () => {
    expect(facts.services).toEqual({'systemd-timesyncd': 'active', 'systemd-networkd': 'active'});
  });

  it('reads whole values of kernel parameters, and which modules can be loaded', () => {
    expect(facts.sysctls).toMatchObject({'net.ipv4.ip_local_port_range': '32768 60999', 'kernel.pid_max': '32768'});
    expect(facts.modules.available).toContain('br_netfilter');
    expect(facts.modules.loaded).not.toContain('br_netfilter');
  });
});

describe('facts of a recorded Debian 12 host with cgroup v1 and a kernel without modules', () => {
  const facts = parse(recorded('debian-12-cgroup-v1'));

  it('says cgroup v1 with its controllers', () => {
    expect(facts.cgroup.version).toBe(1);
    expect(facts.cgroup.controllers).toEqual(expect.arrayContaining(['cpu', 'memory', 'pids', 'cpuset']));
  });

  it('takes what the kernel has built in for loaded', () => {
    expect(facts.modules.loaded).toEqual(expect.arrayContaining(['overlay', 'br_netfilter', 'nf_conntrack', 'vxlan']));
  });

  it('reads IPv6 routes and shortens their addresses', () => {
    expect(facts.routes).toContainEqual({network: '::/0', interface: 'eth0', gateway: 'fd00::1', metric: 1024});
  });
});

describe('the clock offset', () => {
  const at = (start: number, end: number) =>
    withSection(withSection(recorded('debian-13-healthy'), 'clock', [`start\t${start}000000`]), 'clock-end', [`end\t${end}000000`]);

  it('cancels a way that takes the same time in both directions', () => {
    expect(parse(at(1_700_000_000_100, 1_700_000_000_300), {sentAt: 1_700_000_000_000, receivedAt: 1_700_000_000_400}).clockOffset).toBe(0);
  });

  it('says how far the host is ahead, in ms', () => {
    expect(parse(at(1_700_000_060_100, 1_700_000_060_300), {sentAt: 1_700_000_000_000, receivedAt: 1_700_000_000_400}).clockOffset).toBe(60_000);
  });

  it('takes whole seconds where date knows no nanoseconds', () => {
    const output = withSection(withSection(recorded('debian-13-healthy'), 'clock', ['start\t1700000000%N']), 'clock-end', ['end\t1700000000']);
    expect(parse(output, {sentAt: 1_700_000_000_400, receivedAt: 1_700_000_000_600}).clockOffset).toBe(0);
  });
});

describe('sysctl files', () => {
  const overrides = (lines: readonly string[]) => parse(withSection(recorded('debian-13-healthy'), 'sysctl-files', lines)).sysctlOverrides;

  it('tells only those that are read after ours, in that order', () => {
    expect(
      overrides([
        '/usr/lib/sysctl.d/10-early.conf:a.b = 1',
        '/etc/sysctl.d/90-trireme.conf:a.b = 2',
        '/etc/sysctl.conf:a.b=3',
        '/etc/sysctl.d/95-late.conf:a/b = 4',
      ]),
    ).toEqual([
      {file: '/etc/sysctl.d/95-late.conf', key: 'a.b', value: '4'},
      {file: '/etc/sysctl.conf', key: 'a.b', value: '3'},
    ]);
  });

  it('lets a file in /etc hide the one of the same name in /usr/lib, in whatever order they come', () => {
    const lines = ['/usr/lib/sysctl.d/99-x.conf:a.b = 1', '/etc/sysctl.d/99-x.conf:a.b = 2'];
    expect(overrides(lines)).toEqual([{file: '/etc/sysctl.d/99-x.conf', key: 'a.b', value: '2'}]);
    expect(overrides(lines.toReversed())).toEqual([{file: '/etc/sysctl.d/99-x.conf', key: 'a.b', value: '2'}]);
  });
});

describe('firewalls', () => {
  const firewall = (lines: readonly string[]) => parse(withSection(recorded('debian-13-healthy'), 'firewall', lines)).firewall;

  it('names ufw when it is enabled', () => {
    expect(firewall(['ufw\tyes', 'nft\tyes', 'chain\tip filter INPUT\tdrop\t5\t0'])).toMatchObject({program: 'ufw', active: true, rules: 5});
  });

  it('calls nftables active only when something can be dropped', () => {
    expect(firewall(['nft\tyes', 'chain\tinet filter input\taccept\t0\t0'])).toMatchObject({program: 'none', active: false});
    expect(firewall(['nft\tyes', 'chain\tinet filter input\taccept\t4\t1'])).toMatchObject({program: 'nftables', active: true});
    expect(firewall(['nft\tyes', 'chain\tinet filter input\tdrop\t0\t0'])).toMatchObject({program: 'nftables', active: true});
  });

  it('knows iptables by its chains, the legacy ones too', () => {
    expect(firewall(['chain\tip filter INPUT\tdrop\t5\t0'])).toMatchObject({program: 'iptables', active: true});
    expect(firewall(['legacy\t-P INPUT DROP', 'legacy\t-A INPUT -p tcp --dport 22 -j ACCEPT'])).toMatchObject({program: 'iptables', active: true, rules: 1});
  });
});

describe('what the agent left', () => {
  it('is parsed where it is JSON, and absent where it is half-written', () => {
    const output = withSection(withSection(recorded('debian-13-healthy'), 'agent-seen', ['{"protocol": 1, "member": true}']), 'agent-lock', ['{"owner": "ann']);
    expect(parse(output)).toMatchObject({agent: {seen: {protocol: 1, member: true}}, lock: undefined});
  });

  it('counts only whole blobs as content', () => {
    const digest = 'a'.repeat(64);
    expect(parse(withSection(recorded('debian-13-healthy'), 'agent-content', [digest, `${digest}.part`, '*'])).content).toEqual([`sha256:${digest}`]);
  });
});

it('takes user and password out of proxies', () => {
  const output = withSection(recorded('debian-13-healthy'), 'proxy', ['export HTTPS_PROXY="http://ann:hunter22@proxy:3128/"', 'no_proxy=localhost']);
  expect(parse(output).environmentProxy).toEqual({https_proxy: 'http://proxy:3128/', no_proxy: 'localhost'});
});

it('reads listeners from /proc where there is no ss', () => {
  const lines = [
    'proc tcp',
    '  sl  local_address rem_address   st tx_queue rx_queue',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000',
    '   1: 0B004D0A:0016 0A004D0A:D431 01 00000000:00000000',
    'proc tcp6',
    '   0: 00000000000000000000000000000000:2382 00000000000000000000000000000000:0000 0A 00000000:00000000',
    'proc udp',
    '  10: 00000000:2118 00000000:0000 07 00000000:00000000',
  ];
  expect(parse(withSection(recorded('debian-13-healthy'), 'listening', lines)).listening).toEqual([
    {protocol: 'tcp', address: '127.0.0.1', port: 8080, program: ''},
    {protocol: 'tcp', address: '::', port: 9090, program: ''},
    {protocol: 'udp', address: '0.0.0.0', port: 8472, program: ''},
  ]);
});

it('takes interfaces from ip where /sys shows those of the computer around a container', () => {
  // recorded on a systemd-nspawn host: /sys was mounted before the network namespace was made
  const output = recorded('debian-13-healthy').replace(
    `${boundary} addresses`,
    [
      `${boundary} link-list`,
      '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00',
      '2: host0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450 qdisc noqueue state UP mode DEFAULT group default qlen 1000\\    link/ether 9a:1b:2c:3d:4e:5f brd ff:ff:ff:ff:ff:ff link-netnsid 0',
      '',
      `${boundary} addresses`,
      '2: host0    inet 10.60.0.11/24 brd 10.60.0.255 scope global host0\\       valid_lft forever preferred_lft forever',
    ].join('\n'),
  );
  expect(parse(output).interfaces).toEqual([
    expect.objectContaining({name: 'lo', mtu: 65_536, up: true, physical: false}),
    {name: 'host0', mac: '9a:1b:2c:3d:4e:5f', mtu: 1450, up: true, physical: false, addresses: ['10.60.0.11/24'], leased: []},
  ]);
});

describe("an answer that is not the script's", () => {
  it('is refused with the host and the first line', () => {
    expect(() => parse('Welcome to h1!\nSystem load: 0.1\n')).toThrow(
      expect.objectContaining({code: 'host.facts-unreadable', host: 'h1', message: expect.stringContaining('Welcome to h1!')}),
    );
    expect(() => parse('')).toThrow(/answered nothing/);
  });

  it('is refused when it ends early', () => {
    const output = recorded('debian-13-healthy');
    expect(() => parse(output.slice(0, output.length - 40))).toThrow(expect.objectContaining({code: 'host.facts-unreadable'}));
  });

  it('may have a banner before it', () => {
    expect(parse(`Welcome!\n${recorded('debian-13-healthy')}`).hostname).toBe('h1');
  });
});

it('reads a simulated host from its file, and the agent from the script', () => {
  const lines = [
    '',
    `${boundary} clock`,
    'start\t1700000000000000000',
    '',
    `${boundary} agent-seen`,
    '{"protocol":1}',
    '',
    `${boundary} agent-lock`,
    '',
    `${boundary} agent-digests`,
    '{"program":"sha256:p","runtime":""}',
    '',
    `${boundary} agent`,
    'installed\tyes',
    'state\tactive',
    '',
    `${boundary} agent-content`,
    '*',
    '',
    `${boundary} simulated`,
    '{"cgroup": {"version": 1, "controllers": []}, "clockOffset": 5000}',
    '',
    `${boundary} clock-end`,
    'end\t1700000000000000000',
    '',
    `${boundary} end`,
    '',
  ];
  expect(parse(lines.join('\n'), {sentAt: 1_700_000_000_000, receivedAt: 1_700_000_000_000})).toMatchObject({
    simulated: true,
    cgroup: {version: 1},
    cpus: 4,
    clockOffset: 5000,
    agent: {installed: true, active: true, seen: {protocol: 1}, programDigest: 'sha256:p', runtimeDigest: undefined},
  });
});

it("reads which links systemd-networkd's files are for", () => {
  const lines = ['file\t/etc/systemd/network/lan.network', 'Type=ether', ' Kind = !*', 'file\t/run/systemd/network/10-all.network', 'Name=en* eth*'];
  // the recording is older than this section
  const output = recorded('debian-13-healthy').replace(`${boundary} names\n`, [`${boundary} networkd`, ...lines, `${boundary} names`, ''].join('\n'));
  expect(parse(output).networkdFiles).toEqual([
    {path: '/etc/systemd/network/lan.network', match: {Type: 'ether', Kind: '!*'}},
    {path: '/run/systemd/network/10-all.network', match: {Name: 'en* eth*'}},
  ]);
});
