// A simulated host: a folder instead of a root, files instead of services. Needs no root and runs on any system.
import {mkdir} from 'node:fs/promises';
import {TriremeError} from '../../../kernel/errors.ts';
import {hostFiles, type HostSystem} from '../../host-system.ts';

/** One file per unit that runs; to stop a service, remove its file. */
const running = '/run/systemd/running';

/** The file that stands for a running unit. */
export const unitMark = (unit: string) => `${running}/${unit}`;

/** Throws `usage.invalid` without a root folder: a simulated host must never write into a real one. */
export function simulatedHost(name: string, root: string): HostSystem {
  if (root === '') throw new TriremeError('usage.invalid', 'The simulated distribution runs only below TRIREME_ROOT.', {host: name});
  const files = hostFiles(root);
  return {
    name,
    simulated: true,
    bin: '/usr/local/bin',
    ...files,
    run: async (program, args) => {
      if (program === 'modprobe' && args[0] !== undefined) {
        await mkdir(files.path(`/sys/module/${args[0]}`), {recursive: true});
        return {code: 0, stdout: '', stderr: ''};
      }
      throw new TriremeError('exec.not-found', `A simulated host has no program ${program}.`, {host: name});
    },
    services: {
      active: async (units) => {
        const found = await Promise.all(units.map((unit) => files.exists(unitMark(unit))));
        return new Set(units.filter((_, index) => found[index] === true));
      },
      enable: async () => {},
      restart: async (unit) => files.write(unitMark(unit), `${new Date().toISOString()}\n`),
    },
  };
}
