// How to let ports through, in the words of the firewall that is active.
import type {HostFacts} from '../facts.ts';
import type {PortText} from './family.ts';

/** One command line (joined by &&) that lets the ports in. */
export function allowPorts(program: HostFacts['firewall']['program'], ports: readonly PortText[]): string {
  switch (program) {
    case 'ufw':
      return ports.map((port) => `ufw allow ${port.replace('-', ':')}`).join(' && ');
    case 'firewalld':
      return `firewall-cmd --permanent ${ports.map((port) => `--add-port=${port}`).join(' ')} && firewall-cmd --reload`;
    case 'iptables':
      return ports.map((port) => `iptables -I INPUT -p ${port.split('/')[1]} --dport ${(port.split('/')[0] ?? '').replace('-', ':')} -j ACCEPT`).join(' && ');
    default:
      return `add to the input chain: ${['tcp', 'udp'].flatMap((protocol) => nftRule(protocol, ports)).join('; ')}`;
  }
}

function nftRule(protocol: string, ports: readonly PortText[]): readonly string[] {
  const own = ports.filter((port) => port.endsWith(`/${protocol}`)).map((port) => port.split('/')[0]);
  return own.length === 0 ? [] : [`${protocol} dport { ${own.join(', ')} } accept`];
}
