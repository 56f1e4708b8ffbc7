// Node names come from the file, but kubeadm, certificates and logs show the host's own name too.
import type {HostCheck} from '../check.ts';

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export const hostname: HostCheck = {
  id: 'hostname',
  title: 'The host name follows RFC 1123',
  severity: 'error',
  scope: 'host',
  run: ({facts, name}) => {
    const wanted = 'lower-case letters, digits and dashes, parts of at most 63, in all at most 253';
    const remedy = `hostnamectl set-hostname ${name}`;
    if (facts.hostname === '' || facts.hostname === 'localhost' || facts.hostname.startsWith('localhost.'))
      return [{observed: facts.hostname || 'no host name', wanted: 'a name of its own', remedy, severity: 'warning'}];
    return facts.hostname.length <= 253 && facts.hostname.split('.').every((part) => label.test(part)) ? [] : [{observed: facts.hostname, wanted, remedy}];
  },
};
