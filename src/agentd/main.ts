// The agent's program: `run` is the daemon; `dial`, `state` and `version` are what the operator's side calls over SSH.
import {readFile, writeFile} from 'node:fs/promises';
import {connect} from 'node:net';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {digestOf} from '../kernel/digest.ts';
import {agentPaths, protocol} from '../hostcluster/protocol.ts';

declare const __AGENT_VERSION__: string;

/** Set by the bundler; from the sources there's none. */
const version = typeof __AGENT_VERSION__ === 'string' ? __AGENT_VERSION__ : '0.0.0-source';
const root = process.env['TRIREME_ROOT'] ?? '';
const at = (path: string) => (root === '' ? path : join(root, path));

function fail(message: string, code: number): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = code;
}

async function run(): Promise<void> {
  const [{Agent}, {serveApi}, {notifySystemd}, {endTrialLater, readFallBack}] = await Promise.all([
    import('./agent.ts'),
    import('./api.ts'),
    import('./systemd.ts'),
    import('./trial.ts'),
  ]);
  const own = fileURLToPath(import.meta.url);
  const build = digestOf(await readFile(own));
  // as the launcher names it: on a simulated host the file itself is a link to this computer's
  const folder = dirname(process.argv[1] ?? own);
  const fellBack = await readFallBack(folder);
  const agent = await Agent.open({root, version, build, programFolder: dirname(own), ...(fellBack === undefined ? {} : {fellBack})});
  const api = await serveApi(agent, at(agentPaths.socket));
  // simulated hosts have no systemd to ask whether we run
  if (root !== '') await writeFile(join(dirname(at(agentPaths.socket)), 'agent.pid'), `${process.pid}\n`);
  const stopNotifying = notifySystemd();
  endTrialLater(folder);
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    stopNotifying();
    void Promise.all([api.close(), agent.close()]).then(
      () => process.exit(0),
      (error: unknown) => {
        fail(`The agent didn't stop cleanly: ${(error as Error).message}`, 1);
        process.exit(1);
      },
    );
  };
  // whoever simulates this host holds the other end, and may be killed before it can stop us
  if (process.env['TRIREME_LIFELINE'] === 'stdin') process.stdin.resume().once('close', stop);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Carries raw bytes between standard input and output and the agent's socket, until either side ends. */
function dial(): void {
  const socket = connect({path: at(agentPaths.socket), allowHalfOpen: true});
  socket.on('error', (error: NodeJS.ErrnoException) => {
    const isAway = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
    fail(
      isAway ? `The agent isn't running: nothing answers at ${at(agentPaths.socket)}.` : `Can't talk to the agent: ${error.message}`,
      error.code === 'EACCES' ? 5 : 4,
    );
    process.stdin.destroy();
  });
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
  socket.on('close', () => process.stdin.destroy());
  process.stdout.on('error', () => socket.destroy());
}

async function state(): Promise<void> {
  try {
    process.stdout.write(await readFile(at(agentPaths.seen), 'utf8'));
  } catch {
    fail(`The agent has seen nothing yet: ${at(agentPaths.seen)} is missing.`, 4);
  }
}

/** Everything of ours off this host; prints a `ResetReport`. Run by hand it does so without a question: that's why it wants the node's name. */
async function reset(args: readonly string[]): Promise<void> {
  const flag = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const node = flag('node');
  if (node === undefined && !args.includes('--any')) return fail('usage: trireme-agent reset --node=NAME [--cluster=ID] [--program=FOLDER] | --any', 2);
  const {resetHost} = await import('./reset/reset.ts');
  const expected = node === undefined ? {} : {expected: {node, cluster: flag('cluster') ?? ''}};
  const report = await resetHost({root, program: flag('program') ?? agentPaths.program, ...expected}).catch((error: unknown) => {
    // nothing was touched: whoever stopped the agent can start it again
    if ((error as {code?: string}).code !== 'cluster.foreign') throw error;
    fail((error as Error).message, 8);
    return undefined;
  });
  if (report === undefined) return undefined;
  process.stdout.write(`${JSON.stringify(report)}\n`);
  if (report.failed.length > 0) process.exitCode = 1;
  return undefined;
}

async function main(): Promise<void> {
  switch (process.argv[2]) {
    case 'run':
      return run();
    case 'dial':
      return dial();
    case 'state':
      return state();
    case 'reset':
      return reset(process.argv.slice(3));
    case 'version':
      process.stdout.write(`${version} protocol ${protocol} node ${process.versions.node}\n`);
      return undefined;
    default:
      return fail('usage: trireme-agent run | dial | state | reset | version', 2);
  }
}

main().catch((error: unknown) => {
  fail(error instanceof Error ? (error.stack ?? error.message) : String(error), 1);
  process.exit(1);
});
