// The palette's commands: every command of the program. One that isn't an action of a screen is put into the clipboard, ready to be run in a shell.
import type {Config} from '@oclif/core';
import type {PaletteCommand} from '../ui/services.ts';
import type {Asker} from './base-dash-asking.ts';

/** All commands but the dashboard itself, by name. */
export function paletteCommands(config: Pick<Config, 'commands' | 'bin'>, asker: Asker): readonly PaletteCommand[] {
  return config.commands
    .filter((command) => !command.hidden && command.id !== 'dash' && command.pluginName === 'trireme-cli')
    .map((command) => {
      const line = `${config.bin} ${command.id.replaceAll(':', ' ')}`;
      return {title: line, command: command.summary ?? '', run: () => asker.control()?.copy(line)};
    })
    .toSorted((a, b) => (a.title < b.title ? -1 : 1));
}
