import {describe, expect, it} from 'vitest';
import {familyOf} from '../../../src/hosts/os/find-family.ts';
import {allowPorts} from '../../../src/hosts/os/firewall.ts';

const family = (id: string, idLike: readonly string[] = [], variant = '') => familyOf({os: {id, idLike, versionId: '', name: id, variant}});

describe('families of operating systems', () => {
  it.each([
    ['ubuntu', ['debian'], '', 'Debian', 'apt-get install -y conntrack iproute2 kmod'],
    ['rocky', ['rhel', 'centos', 'fedora'], '', 'Red Hat', 'dnf install -y conntrack-tools iproute-tc kmod'],
    ['opensuse-leap', ['suse', 'opensuse'], '', 'SUSE', 'zypper --non-interactive install conntrack-tools iproute2 kmod'],
    ['arch', [], '', 'Arch', 'pacman -S --needed --noconfirm conntrack-tools iproute2 kmod'],
    ['fedora', [], 'coreos', 'rpm-ostree', 'rpm-ostree install conntrack modprobe tc && systemctl reboot (package names may differ)'],
    ['someubuntu', ['ubuntu', 'debian'], '', 'Debian', 'apt-get install -y conntrack iproute2 kmod'],
    ['exherbo', [], '', 'unknown', 'install conntrack, modprobe, tc with the package manager of this system'],
  ])('%s: packages by their own names', (id, idLike, variant, name, command) => {
    expect(family(id, idLike, variant).name).toBe(name);
    expect(family(id, idLike, variant).install(['tc', 'modprobe', 'conntrack'])).toBe(command);
  });

  it('says why Alpine is unsupported, and which are immutable', () => {
    expect(family('alpine').unsupported).toMatch(/OpenRC/);
    expect(['flatcar', 'opensuse-microos'].map((id) => family(id).immutable)).toEqual([true, true]);
  });
});

it('writes firewall rules in the words of each firewall', () => {
  const ports = ['6443/tcp', '30000-32767/udp'];
  expect(allowPorts('ufw', ports)).toBe('ufw allow 6443/tcp && ufw allow 30000:32767/udp');
  expect(allowPorts('firewalld', ports)).toBe('firewall-cmd --permanent --add-port=6443/tcp --add-port=30000-32767/udp && firewall-cmd --reload');
  expect(allowPorts('iptables', ports)).toBe('iptables -I INPUT -p tcp --dport 6443 -j ACCEPT && iptables -I INPUT -p udp --dport 30000:32767 -j ACCEPT');
  expect(allowPorts('nftables', ports)).toBe('add to the input chain: tcp dport { 6443 } accept; udp dport { 30000-32767 } accept');
});
