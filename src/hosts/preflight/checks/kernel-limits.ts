// Defaults of small systems run out with a hundred pods: "too many open files" from inotify, "fork: resource temporarily unavailable".
import type {HostCheck} from '../check.ts';

const least: Readonly<Record<string, number>> = {
  'fs.inotify.max_user_instances': 512,
  'fs.inotify.max_user_watches': 65_536,
  'kernel.pid_max': 32_768,
  'fs.file-max': 100_000,
};

export const kernelLimits: HostCheck = {
  id: 'kernel-limits',
  title: "The kernel's limits are high enough for a node",
  severity: 'warning',
  scope: 'host',
  run: ({facts, configuration}) => {
    const low = Object.entries(least).filter(([key, value]) => {
      const now = configuration.sysctls[key] ?? facts.sysctls[key];
      return now !== undefined && Number(now) < value;
    });
    if (low.length === 0) return [];
    return [
      {
        observed: low.map(([key]) => `${key} = ${String(configuration.sysctls[key] ?? facts.sysctls[key])}`).join(', '),
        wanted: low.map(([key, value]) => `${key} = ${value} or more`).join(', '),
        remedy: `set them under configuration.sysctls: ${low.map(([key, value]) => `"${key}": ${value}`).join(', ')}`,
      },
    ];
  },
};
