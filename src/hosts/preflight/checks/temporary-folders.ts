// systemd-resolved and others fail when /var/tmp isn't world-writable with the sticky bit.
import type {HostCheck} from '../check.ts';

export const temporaryFolders: HostCheck = {
  id: 'temporary-folders',
  title: '/tmp and /var/tmp have mode 1777',
  severity: 'warning',
  scope: 'host',
  run: ({facts}) =>
    Object.entries(facts.folderModes)
      .filter(([, mode]) => mode !== '1777')
      .map(([path, mode]) => ({observed: `${path} has mode ${mode}`, wanted: '1777', remedy: `chmod 1777 ${path}`})),
};
