// kernel.modules_disabled=1 (hardening guides) can't be undone without a reboot, so all must be loaded before it is set.
import type {HostCheck} from '../check.ts';

const needed = ['overlay', 'br_netfilter', 'nf_conntrack'];

export const modulesLocked: HostCheck = {
  id: 'modules-locked',
  title: 'Modules can still be loaded, or all are',
  severity: 'error',
  scope: 'host',
  run: ({facts}) => {
    const missing = needed.filter((name) => !facts.modules.loaded.includes(name));
    if (!facts.modules.disabled || missing.length === 0) return [];
    return [
      {
        observed: `kernel.modules_disabled is 1 and ${missing.join(', ')} isn't loaded`,
        wanted: 'the modules loaded at boot, before loading is locked',
        remedy: `list ${missing.join(', ')} in /etc/modules-load.d/kubernetes.conf and reboot`,
      },
    ];
  },
};
