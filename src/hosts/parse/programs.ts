// From the script's sections about tools, guards and the firewall to facts.
import type {HostFacts, InputChainFacts} from '../facts.ts';
import {recordOf, valueOf, valuesOf, type Sections} from './pairs.ts';

type ProgramFacts = Pick<HostFacts, 'tools' | 'selinux' | 'selinuxContainerPolicy' | 'apparmor' | 'apparmorProfiles' | 'firewall'>;

const selinuxModes: Readonly<Record<string, HostFacts['selinux']>> = {'1': 'enforcing', '0': 'permissive'};

/** Reads the sections tools, security and firewall; `services` are already known. */
export function parsePrograms(sections: Sections, services: Readonly<Record<string, string>>): ProgramFacts {
  return {
    tools: recordOf(sections, 'tools'),
    selinux: selinuxModes[valueOf(sections, 'security', 'selinux')] ?? 'disabled',
    selinuxContainerPolicy: valueOf(sections, 'security', 'container-policy') === 'yes',
    apparmor: valueOf(sections, 'security', 'apparmor') === 'Y',
    apparmorProfiles: valuesOf(sections, 'security', 'profile'),
    firewall: parseFirewall(sections, services),
  };
}

function parseFirewall(sections: Sections, services: Readonly<Record<string, string>>): HostFacts['firewall'] {
  const chains: InputChainFacts[] = valuesOf(sections, 'firewall', 'chain').map((value) => {
    const [chain = '', policy = '', rules = '', drops = ''] = value.split('\t');
    return {chain, policy, rules: Number(rules), drops: Number(drops)};
  });
  const legacy = valuesOf(sections, 'firewall', 'legacy');
  if (legacy.length > 0) {
    const rules = legacy.filter((rule) => rule.startsWith('-A'));
    chains.push({
      chain: 'iptables INPUT',
      policy: legacy.some((rule) => /^-P INPUT (DROP|REJECT)/.test(rule)) ? 'drop' : 'accept',
      rules: rules.length,
      drops: rules.filter((rule) => /-j (DROP|REJECT)\b/.test(rule)).length,
    });
  }
  const rules = chains.reduce((sum, chain) => sum + chain.rules, 0);
  const blocking = chains.filter((chain) => chain.policy === 'drop' || chain.drops > 0);
  if (valueOf(sections, 'firewall', 'ufw') === 'yes') return {program: 'ufw', active: true, rules, chains};
  if (services['firewalld'] === 'active') return {program: 'firewalld', active: true, rules, chains};
  if (blocking.length > 0)
    return {
      program: blocking.every(({chain}) => /^(iptables|ip6?) /.test(chain) && chain.endsWith('INPUT')) ? 'iptables' : 'nftables',
      active: true,
      rules,
      chains,
    };
  return {program: 'none', active: false, rules, chains};
}
