// Rules about hosts among themselves: numbers, names, addresses.
import {addressNumber, familyOf} from '../network.ts';
import {lintEndpoint, nodeAddressesOf} from './endpoint.ts';
import type {AgentHost, ClusterDocument} from '../schema.ts';
import type {Report} from './report.ts';

const at = (index: number, ...rest: (string | number)[]) => ['spec', 'agent', 'hosts', index, ...rest];

export function lintHosts(cluster: ClusterDocument, report: Report): void {
  const hosts = cluster.spec.agent?.hosts;
  if (hosts === undefined) return;
  lintControlPlanes(hosts, report);
  lintDuplicates(hosts, report);
  for (const [index, host] of hosts.entries()) {
    if (/[\s/@]/.test(host.address)) {
      report.error({
        path: at(index, 'address'),
        rule: 'host.address',
        message: `${JSON.stringify(host.address)} is no name or address.`,
        hint: 'The login name and the port go to ssh.user and ssh.port.',
      });
    }
    lintJumps(host.ssh?.jump, at(index, 'ssh', 'jump'), report);
    lintFiles(host, index, report);
  }
  lintJumps(cluster.spec.agent?.ssh?.jump, ['spec', 'agent', 'ssh', 'jump'], report);
  lintEndpoint(cluster, hosts, report);
}

function lintControlPlanes(hosts: readonly AgentHost[], report: Report): void {
  const count = hosts.filter((host) => host.role === 'control-plane').length;
  const path = ['spec', 'agent', 'hosts'];
  if (count > 0 && hosts.every((host) => host.role !== 'control-plane' || host.enrol === 'file'))
    report.error({
      path,
      atKey: true,
      rule: 'hosts.none-reached',
      message: 'Every control plane is enrolled by file: nobody could start the cluster.',
      hint: 'Leave enrol out for one of them: it is reached over SSH.',
    });
  if (count === 0)
    report.error({
      path,
      atKey: true,
      rule: 'hosts.no-control-plane',
      message: 'No host is a control plane.',
      hint: 'Give one host, or three, role: control-plane.',
    });
  else if (count === 2)
    report.error({
      path,
      atKey: true,
      rule: 'hosts.even-control-planes',
      message: 'Two control planes are worse than one: etcd needs both for a majority, so the loss of either stops the cluster.',
      hint: 'Use one or three.',
    });
  else if (count % 2 === 0)
    report.error({
      path,
      atKey: true,
      rule: 'hosts.even-control-planes',
      message: `${count} control planes stand the loss of no more hosts than ${count - 1}, and each is one more that can fail: etcd needs ${count / 2 + 1} of them.`,
      hint: `Use ${count - 1} or ${count + 1}.`,
    });
  else if (count > 7)
    report.error({
      path,
      atKey: true,
      rule: 'hosts.many-control-planes',
      message: `${count} control planes are more than etcd should have; every write waits for a majority of them.`,
      hint: 'Use three, five or seven.',
    });
}

function lintDuplicates(hosts: readonly AgentHost[], report: Report): void {
  const names = new Map<string, number>();
  const doors = new Map<string, number>();
  const nodes = new Map<string, number>();
  for (const [index, host] of hosts.entries()) {
    const twin = (map: Map<string, number>, key: string) => {
      const first = map.get(key);
      if (first === undefined) map.set(key, index);
      return first === undefined || first === index ? undefined : hosts[first];
    };
    const sameName = twin(names, host.name);
    if (sameName !== undefined)
      report.error({path: at(index, 'name'), rule: 'hosts.duplicate-name', message: `Two hosts have the name ${host.name}; a node's name is unique.`});
    // behind one address translation hosts differ by port only; with different jump hosts the same address can be two hosts
    const door = `${canonical(host.address)} ${host.ssh?.port ?? ''} ${host.ssh?.jump?.join(',') ?? ''}`;
    const sameDoor = twin(doors, door);
    if (sameDoor !== undefined)
      report.error({
        path: at(index, 'address'),
        rule: 'hosts.duplicate-address',
        message: `${host.name} has the address of ${sameDoor.name}: ${host.address}.`,
      });
    for (const [position, address] of nodeAddressesOf(host).entries()) {
      const path =
        host.nodeAddress === undefined
          ? at(index, 'address')
          : typeof host.nodeAddress === 'string'
            ? at(index, 'nodeAddress')
            : at(index, 'nodeAddress', position);
      if (familyOf(address) === undefined) {
        report.error({path, rule: 'host.node-address', message: `nodeAddress of ${host.name} is ${JSON.stringify(address)}; it must be an IP address.`});
        continue;
      }
      const sameNode = twin(nodes, canonical(address));
      if (sameNode !== undefined && sameDoor === undefined)
        report.error({path, rule: 'hosts.duplicate-node-address', message: `${host.name} has the node address of ${sameNode.name}: ${address}.`});
    }
  }
}

function canonical(address: string): string {
  return addressNumber(address)?.toString() ?? address.toLowerCase();
}

function lintJumps(jumps: readonly string[] | undefined, path: readonly (string | number)[], report: Report): void {
  for (const [index, jump] of (jumps ?? []).entries()) {
    const match = /^(?:[^\s@:/]+@)?(?:\[([0-9a-fA-F:.]+)\]|[^\s@:/[\]]+)(?::(\d{1,5}))?$/.exec(jump);
    const port = Number(match?.[2] ?? 22);
    if (match === null || jump.startsWith('-') || port < 1 || port > 65_535 || (match[1] !== undefined && familyOf(match[1]) !== 'IPv6')) {
      report.error({
        path: [...path, index],
        rule: 'ssh.jump',
        message: `${JSON.stringify(jump.slice(0, 80))} is no jump host.`,
        hint: 'Write [user@]host[:port]; an IPv6 address in brackets.',
      });
    }
  }
}

function lintFiles(host: AgentHost, index: number, report: Report): void {
  const paths = new Set<string>();
  for (const [position, file] of (host.files ?? []).entries()) {
    const path = at(index, 'files', position, 'path');
    if (paths.has(file.path)) report.error({path, rule: 'files.duplicate-path', message: `Two files of ${host.name} go to ${file.path}.`});
    paths.add(file.path);
    if (file.path.split('/').includes('..') || file.path.endsWith('/'))
      report.error({path, rule: 'files.path', message: `${file.path} must name a file, without "..".`});
    const own = ['/var/lib/trireme', '/run/trireme', '/usr/local/lib/trireme', '/etc/systemd/system/trireme-agent.service'].find(
      (ours) => file.path === ours || file.path.startsWith(`${ours}/`),
    );
    if (own !== undefined) report.error({path, rule: 'files.path', message: `${own} belongs to Trireme's agent.`, hint: 'Choose another place.'});
  }
}
