// The agent's program: `run` is the daemon; `dial`, `state` and `version` are what the operator's side calls over SSH; `answers` and `enrol` are what
// the install script calls where nobody logs in.
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

/** Asks the running agent; undefined when none runs. */
async function ask(method: string, path: string, body?: string): Promise<{readonly status: number; readonly text: string} | undefined> {
  const {request} = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request(
      {socketPath: at(agentPaths.socket), method, path, headers: body === undefined ? {} : {'content-type': 'application/json'}},
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({status: response.statusCode ?? 0, text}));
        response.on('error', reject);
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? resolve(undefined) : reject(error)));
    sent.end(body);
  });
}

/** Exit code 0 when an agent answers: what an installation waits for. */
async function answers(): Promise<void> {
  const state = await ask('GET', '/v1/state');
  if (state?.status === 200) process.stdout.write(`version ${(JSON.parse(state.text) as {version: string}).version} answers\n`);
  else fail(`The agent doesn't answer at ${at(agentPaths.socket)}.`, 4);
}

/** Takes what this host shall be from a file, as an operator would hand it over. Without a running agent it is kept for the next start. */
async function enrol(path: string | undefined): Promise<void> {
  if (path === undefined) return fail('usage: trireme-agent enrol FILE', 2);
  const {readEnrolment} = await import('./enrolment.ts');
  const {kind: _kind, ...body} = await readEnrolment(path);
  const answer = await ask('PUT', '/v1/wanted', JSON.stringify(body));
  if (answer === undefined) {
    const {WantedStore} = await import('./state.ts');
    const store = new WantedStore(at);
    await store.load();
    const changed = await store.put(body);
    process.stdout.write(changed ? 'enrolled; the agent takes it when it starts\n' : 'unchanged\n');
    return;
  }
  const said = JSON.parse(answer.text) as {changed?: boolean; message?: string};
  if (answer.status !== 200) return fail(said.message ?? `The agent answers ${answer.status}.`, 1);
  process.stdout.write(said.changed === true ? 'enrolled\n' : 'unchanged\n');
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
    case 'answers':
      return answers();
    case 'enrol':
      return enrol(process.argv[3]);
    case 'reset':
      return reset(process.argv.slice(3));
    case 'version':
      process.stdout.write(`${version} protocol ${protocol} node ${process.versions.node}\n`);
      return undefined;
    default:
      return fail('usage: trireme-agent run | dial | state | answers | enrol FILE | reset | version', 2);
  }
}

main().catch((error: unknown) => {
  // what we say ourselves is meant for people; anything else shows where it comes from
  const isOurs = error instanceof Error && 'hints' in error;
  fail(error instanceof Error ? (isOurs ? error.message : (error.stack ?? error.message)) : String(error), 1);
  process.exit(1);
});
