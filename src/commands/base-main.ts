// From argv to a command, and what goes wrong before there is one: an unknown command, a plugin that doesn't load.
import {fileURLToPath} from 'node:url';
import {Config, Errors, Plugin, run} from '@oclif/core';
import {TriremeError} from '../kernel/errors.ts';
import {nearest} from '../kernel/nearest.ts';
import {problemOf} from '../kernel/problem.ts';
import {Redactor} from '../kernel/redact.ts';
import {Presenter} from '../output/present.ts';
import {createTerminal, leaveNow, setExitCode, written} from '../output/terminal.ts';
import {askedFor} from './base-command.ts';
import {usageErrorOf} from './base-usage.ts';

/** Runs the command that `argv` names and ends the process with its exit code. */
export async function main(argv: readonly string[], root: string): Promise<void> {
  let known: readonly string[] = [];
  try {
    const words = argv.length === 0 ? await wordsForNothing() : [...argv];
    const config = await loadConfig(fileURLToPath(root), words);
    known = config.commandIDs.map((id) => id.replaceAll(':', ' '));
    await run(words, config);
  } catch (error) {
    await reportBeforeCommand(error, argv, known);
  }
  await written();
  leaveNow(Number(process.exitCode ?? 0));
}

/** oclif's plugins are for help, completion and what isn't a command: a command of ours runs without them, and begins sooner. */
async function loadConfig(root: string, argv: readonly string[]): Promise<Config> {
  const own = new Plugin({root, isRoot: true});
  await own.load();
  return Config.load(isCommand(argv, own.commandIDs) ? {root, plugins: new Map([[own.name, own]])} : {root});
}

function isCommand(argv: readonly string[], ids: readonly string[]): boolean {
  const flag = argv.findIndex((word) => word.startsWith('-'));
  const words = flag === -1 ? argv : argv.slice(0, flag);
  return words.some((_, index) => ids.includes(words.slice(0, index + 1).join(':')));
}

/** What `trireme` alone means: in a terminal the dashboard when clusters are known, else the wizard; elsewhere the help. */
async function wordsForNothing(): Promise<string[]> {
  if (!createTerminal().canDraw) return [];
  const [{listKnownClusters}, {stateFolder}] = await Promise.all([import('../fleet/known-clusters.ts'), import('../kernel/folders.ts')]);
  return (await listKnownClusters(stateFolder())).length > 0 ? ['dash'] : ['init'];
}

async function reportBeforeCommand(error: unknown, argv: readonly string[], known: readonly string[]): Promise<void> {
  if (error instanceof Errors.ExitError) return setExitCode(error.oclif.exit ?? 0);
  const asked = askedFor(argv);
  const out = new Presenter({
    terminal: createTerminal(asked.noColor ? {color: 'never'} : {}),
    format: asked.format,
    quiet: asked.quiet,
    verbose: asked.verbose,
    redactor: new Redactor(),
  });
  const problem = problemOf(error instanceof Errors.CLIError ? unknownCommand(error, argv, known) : error);
  const envelope = await out.finish({command: wordsOf(argv), result: null, problem});
  out.problem(problem);
  if (problem.exit === 70 && error instanceof Error) out.detail(error.stack ?? '');
  setExitCode(envelope.exit);
}

/** oclif ends with 127 for an unknown command; for us that is wrong usage like any other. */
function unknownCommand(error: Errors.CLIError, argv: readonly string[], known: readonly string[]): TriremeError {
  if (error.oclif.exit !== 127 && !/^command .* not found$/.test(error.message)) return usageErrorOf(error);
  const words = wordsOf(argv);
  const near = nearest(words, known) ?? nearest(words.split(' ')[0] ?? '', known);
  return new TriremeError('usage.invalid', `There's no command trireme ${words}.`, {
    hints: [...(near === undefined ? [] : [`Did you mean trireme ${near}?`]), 'List them: trireme help'],
    cause: error,
  });
}

/** What was typed without flags, and without the value of -o. */
function wordsOf(argv: readonly string[]): string {
  return argv.filter((word, index) => !word.startsWith('-') && argv[index - 1] !== '-o' && argv[index - 1] !== '--output').join(' ');
}
