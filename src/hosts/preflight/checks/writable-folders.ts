// On an immutable system /usr/local may be read-only: then spec.agent.root says where the agent goes instead.
import type {Finding, HostCheck} from '../check.ts';

const folders = ['/etc', '/var/lib', '/var/lib/trireme', '/var/lib/kubelet', '/var/lib/containerd', '/opt'];
const defaultRoot = '/usr/local/lib/trireme';

export const writableFolders: HostCheck = {
  id: 'writable-folders',
  title: 'The folders that the agent writes to can be written',
  severity: 'error',
  scope: 'host',
  run: ({facts}, {cluster}) => {
    const root = cluster.spec.agent?.root ?? defaultRoot;
    const locked = folders.filter((folder) => facts.writable[folder] === false);
    const findings: Finding[] =
      locked.length === 0
        ? []
        : [{observed: `read-only: ${locked.join(', ')}`, wanted: folders.join(', '), remedy: 'mount them writable, or as overlays over the image'}];
    const free = ['/opt', '/var/lib'].find((folder) => facts.writable[folder] !== false);
    if (facts.writable[root] === false)
      findings.push({
        observed: `${root} is read-only`,
        wanted: "a writable folder for the agent's program",
        remedy: free === undefined ? 'mount a writable file system' : `set spec.agent.root: ${free}/trireme-agent`,
      });
    return findings;
  },
};
