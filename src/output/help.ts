// The help: oclif's own, with the exit codes at its end.
import {CommandHelp, Help, type Command, type Interfaces} from '@oclif/core';
import {exitCodes} from '../kernel/error-codes.ts';

function exitCodeLines(): string {
  return Object.entries(exitCodes)
    .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
    .join('\n');
}

class TriremeCommandHelp extends CommandHelp {
  override generate(): string {
    return `${super.generate()}\n\n${this.section('EXIT CODES', exitCodeLines())}`;
  }
}

/** Named in package.json as oclif's help class. */
export default class TriremeHelp extends Help {
  protected override CommandHelpClass = TriremeCommandHelp;

  override formatRoot(): string {
    const start = [
      'trireme init                 write a file',
      'trireme plan                 see what would happen',
      'trireme apply                make it so',
      'trireme sandbox run          try it all without any host',
    ];
    return `${super.formatRoot()}\n\n${this.section('START', start.map((line) => `$ ${line}`).join('\n'))}\n\n${this.section('EXIT CODES', exitCodeLines())}`;
  }

  protected override getCommandHelpClass(command: Command.Loadable): CommandHelp {
    return new TriremeCommandHelp(command, this.config, this.opts as Interfaces.HelpOptions);
  }
}
