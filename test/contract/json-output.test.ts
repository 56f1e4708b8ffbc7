// Every command's real JSON output against its schema, in success and in failure: the built program in processes of its own, against simulated hosts.
import {chmod, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {z} from 'zod';
import {envelopeResult} from '../../src/commands/base-results.ts';
import {startSandbox, type Sandbox} from '../../src/sandbox/sandbox.ts';
import {trireme} from '../support/trireme.ts';
import {readCommands} from './surface.ts';

interface Run {
  readonly args: readonly string[];
  readonly exit: number;
  /** Expected `problem.code`; absent: none. */
  readonly code?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Expect a result although it failed. */
  readonly hasResult?: boolean;
}

interface Cases {
  readonly failure: Run;
  /** Absent: the reason why it can't be had here. */
  readonly success: Run | string;
}

const ok = (...args: readonly string[]): Run => ({args, exit: 0});
const fails = (exit: number, code: string, ...args: readonly string[]): Run => ({args, exit, code});
const noFile = {TRIREME_FILE: '/nowhere/trireme.yaml'};
const unreadable = (...args: readonly string[]): Run => ({...fails(3, 'file.not-found', ...args), env: noFile});

const takesApart = 'it would take apart what the others look at: test/integration/hostcluster/members.test.ts and test/long/members.test.ts run it';
const inManagement = 'it needs a management cluster: test/integration/providers-embedded.test.ts';

/** One success and one failure for every command; what comes first runs first. `TMP` is a folder of the test's own. */
const before: Readonly<Record<string, Run>> = {
  'cluster kubeconfig': fails(1, 'cluster.not-made', 'cluster', 'kubeconfig'),
  status: {...fails(1, 'cluster.not-made', 'status'), hasResult: true},
  'agent status': {...fails(4, 'agent.not-installed', 'agent', 'status'), hasResult: true},
  apply: fails(2, 'usage.answer-required', 'apply'),
  plan: {...fails(9, 'plan.something-to-do', 'plan', '--exit-code', '--out', 'TMP/plan.json'), hasResult: true},
};

/** What only a management cluster can do: these hosts are of agent mode. */
const managed = (...args: readonly string[]): Cases => ({
  success: 'there is no management cluster here; test/integration/controller/day-two.test.ts holds its results against the schema',
  failure: fails(2, 'mode.unsupported', ...args),
});

const table: Readonly<Record<string, Cases>> = {
  advise: {success: ok('advise', '--machines', 'existing'), failure: {...fails(2, 'usage.answer-required', 'advise'), hasResult: true}},
  apply: {success: ok('apply', '--yes'), failure: fails(8, 'plan.moved', 'apply', 'TMP/plan.json', '--yes')},
  'agent logs': {success: ok('agent', 'logs', 'cp1'), failure: fails(2, 'host.not-found', 'agent', 'logs', 'nobody')},
  'agent package': {
    success: ok('agent', 'package', '--script', 'TMP/agent.sh', '--arch', process.arch === 'arm64' ? 'arm64' : 'amd64'),
    failure: fails(2, 'usage.invalid', 'agent', 'package'),
  },
  'agent status': {success: ok('agent', 'status'), failure: unreadable('agent', 'status')},
  'agent upgrade': {success: ok('agent', 'upgrade', '--yes'), failure: unreadable('agent', 'upgrade')},
  'bundle build': {success: ok('bundle', 'build', '--out', 'TMP/bundle'), failure: fails(2, 'usage.invalid', 'bundle', 'build')},
  'bundle inspect': {success: ok('bundle', 'inspect', 'TMP/bundle'), failure: fails(3, 'bundle.not-found', 'bundle', 'inspect', 'TMP/nothing')},
  'bundle push': {
    success: 'it needs a registry: test/integration/bundle/push.test.ts',
    failure: fails(2, 'usage.invalid', 'bundle', 'push', 'TMP/bundle', 'http://registry.example/bundle'),
  },
  'bundle verify': {success: ok('bundle', 'verify', 'TMP/bundle'), failure: fails(3, 'bundle.not-found', 'bundle', 'verify', 'TMP/nothing')},
  'cluster bootstrap': {
    success: 'it needs a cluster to begin from: test/integration/controller/bootstrap.test.ts',
    failure: fails(2, 'mode.unsupported', 'cluster', 'bootstrap', '--bootstrap-context', 'nobodys'),
  },
  'cluster delete': {success: takesApart, failure: fails(2, 'usage.answer-required', 'cluster', 'delete', '--yes')},
  'cluster describe': {success: ok('cluster', 'describe'), failure: fails(2, 'cluster.not-found', 'cluster', 'describe', 'nobody')},
  'cluster backup': {
    success: {...ok('cluster', 'backup', '--out', 'TMP/harbour.backup'), env: {TRIREME_BACKUP_PASSPHRASE: 'correct horse battery'}},
    failure: fails(2, 'usage.answer-required', 'cluster', 'backup'),
  },
  'cluster certificates': {
    success: ok('cluster', 'certificates', '--renew', '--yes'),
    failure: fails(2, 'usage.answer-required', 'cluster', 'certificates', '--renew'),
  },
  'cluster events': {success: ok('cluster', 'events'), failure: unreadable('cluster', 'events')},
  'cluster restore': {
    success: 'it needs hosts that belong to no cluster: test/long/care-sandbox.test.ts',
    failure: fails(2, 'usage.answer-required', 'cluster', 'restore', 'TMP/harbour.backup'),
  },
  'cluster kubeconfig': {success: ok('cluster', 'kubeconfig', '--into', 'TMP/kubeconfig'), failure: unreadable('cluster', 'kubeconfig')},
  'cluster list': {success: ok('cluster', 'list'), failure: fails(2, 'usage.invalid', 'cluster', 'list', '--blub')},
  'cluster move': {
    success: 'it needs two management clusters: test/integration/controller/move.test.ts',
    failure: fails(2, 'usage.invalid', 'cluster', 'move'),
  },
  'cluster pause': managed('cluster', 'pause'),
  'cluster restart': managed('cluster', 'restart'),
  'cluster resume': managed('cluster', 'resume'),
  'cluster scale': managed('cluster', 'scale', 'workers=2'),
  'cluster shell': {success: ok('cluster', 'shell', '-o', 'json', '--', 'true'), failure: unreadable('cluster', 'shell')},
  'cluster upgrade': {
    success: ok('cluster', 'upgrade', '--to', 'v1.36.3', '--yes'),
    failure: fails(3, 'plan.refused', 'cluster', 'upgrade', '--to', 'v1.36.1', '--yes'),
  },
  dash: {success: ok('dash'), failure: fails(2, 'usage.invalid', 'dash', '--theme', 'pink')},
  doctor: {success: ok('doctor'), failure: {...fails(10, 'preflight.failed', 'doctor'), hasResult: true, env: {HOME: 'TMP/untidy'}}},
  explain: {success: ok('explain', 'spec.agent.ssh'), failure: fails(2, 'usage.invalid', 'explain', 'spec.cheese')},
  history: {success: ok('history', 'last'), failure: fails(2, 'run.not-found', 'history', 'nothing')},
  'provider init': {success: inManagement, failure: fails(2, 'usage.answer-required', 'provider', 'init')},
  'provider list': {success: inManagement, failure: fails(3, 'file.not-found', 'provider', 'list', '--config', 'TMP/nothing.yaml')},
  'provider permissions': {success: ok('provider', 'permissions', 'aws'), failure: fails(2, 'provider.unknown', 'provider', 'permissions', 'azure')},
  'provider upgrade': {success: inManagement, failure: fails(2, 'usage.answer-required', 'provider', 'upgrade')},
  'host check': {success: ok('host', 'check'), failure: fails(2, 'host.not-found', 'host', 'check', '--limit', 'nobody')},
  'host exec': {success: ok('host', 'exec', '--', 'true'), failure: {...fails(1, 'host.command-failed', 'host', 'exec', '--', 'false'), hasResult: true}},
  'host facts': {success: ok('host', 'facts', 'cp1'), failure: fails(2, 'host.not-found', 'host', 'facts', 'nobody')},
  'host list': {success: ok('host', 'list'), failure: unreadable('host', 'list')},
  'host logs': {success: ok('host', 'logs', 'cp1', '--unit', 'trireme-agent'), failure: fails(2, 'host.not-found', 'host', 'logs', 'nobody')},
  'host maintain': {
    success: ok('host', 'maintain', '--limit', 'w1', '--dry-run', '--', 'true'),
    failure: fails(2, 'usage.answer-required', 'host', 'maintain', '--', 'true'),
  },
  'host reset': {success: takesApart, failure: fails(8, 'host.is-member', 'host', 'reset', 'w1', '--yes')},
  'host shell': {success: 'a shell needs a terminal', failure: fails(2, 'usage.invalid', 'host', 'shell', 'cp1')},
  'host trust': {success: ok('host', 'trust', '--yes'), failure: fails(2, 'usage.answer-required', 'host', 'trust')},
  init: {
    success: ok('init', '--file', 'TMP/new.yaml', '--name', 'berth', '--mode', 'agent', '--control-plane', 'h1=192.0.2.11', '--kubernetes-version', 'v1.36.3'),
    failure: fails(2, 'usage.answer-required', 'init', '--file', 'TMP/other.yaml'),
  },
  'machine describe': {success: ok('machine', 'describe', 'cp1'), failure: fails(2, 'machine.not-found', 'machine', 'describe', 'nobody')},
  'machine list': {success: ok('machine', 'list'), failure: unreadable('machine', 'list')},
  'machine cordon': {success: ok('machine', 'cordon', 'w1', '--yes'), failure: fails(2, 'machine.not-found', 'machine', 'cordon', 'nobody', '--yes')},
  'machine delete': managed('machine', 'delete', 'cp1'),
  'machine drain': {success: ok('machine', 'drain', 'w1', '--yes'), failure: fails(2, 'machine.not-found', 'machine', 'drain', 'nobody', '--yes')},
  'machine remediate': managed('machine', 'remediate', 'cp1'),
  'machine replace': {success: takesApart, failure: fails(3, 'plan.refused', 'machine', 'replace', 'cp1', '--confirm', 'cp1')},
  'machine uncordon': {success: ok('machine', 'uncordon', 'w1', '--yes'), failure: fails(2, 'machine.not-found', 'machine', 'uncordon', 'nobody', '--yes')},
  plan: {success: ok('plan'), failure: unreadable('plan')},
  preflight: {success: ok('preflight'), failure: fails(2, 'usage.invalid', 'preflight', '--only', 'cheese')},
  'sandbox dash': {
    success: 'it brings up a whole fleet: test/long/bridge-sandbox.test.ts runs it',
    failure: fails(2, 'usage.invalid', 'sandbox', 'dash', '--nonsense'),
  },
  'sandbox run': {
    success: ok('sandbox', 'run', '--control-planes', '1', '--workers', '0'),
    failure: fails(2, 'usage.invalid', 'sandbox', 'run', '--workers', 'many'),
  },
  'sandbox shell': {
    success: ok('sandbox', 'shell', '--control-planes', '1', '--workers', '0', '-o', 'json', '--', 'true'),
    failure: fails(2, 'usage.invalid', 'sandbox', 'shell', '--workers', '-1'),
  },
  schema: {success: ok('schema'), failure: fails(2, 'usage.invalid', 'schema', '--blub')},
  'settings get': {success: ok('settings', 'get', 'ascii'), failure: fails(2, 'settings.invalid', 'settings', 'get', 'cheese')},
  'settings list': {success: ok('settings', 'list'), failure: fails(2, 'usage.invalid', 'settings', 'list', '--blub')},
  'settings set': {success: ok('settings', 'set', 'ascii', 'true'), failure: fails(2, 'settings.invalid', 'settings', 'set', 'concurrency', 'many')},
  support: {success: ok('support', '--out', 'TMP/support.tar.gz', '--lines', '10'), failure: unreadable('support')},
  status: {success: ok('status', '--wait', '--timeout', '1m'), failure: unreadable('status')},
  validate: {success: ok('validate'), failure: fails(3, 'file.invalid', 'validate', '-f', 'TMP/wrong.yaml')},
};

const commands = await readCommands();

describe('JSON output', {timeout: 120_000}, () => {
  let sandbox: Sandbox;
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-json-'));
    await writeFile(join(folder, 'wrong.yaml'), 'apiVersion: trireme.dev/v1alpha1\nkind: Cluster\nmetadata: {name: berth}\nspec: {mode: agnt}\n');
    await mkdir(join(folder, 'untidy/.ssh'), {recursive: true});
    await writeFile(join(folder, 'untidy/.ssh/config'), '');
    await chmod(join(folder, 'untidy/.ssh/config'), 0o666);
    sandbox = await startSandbox({controlPlanes: 1, workers: 1});
  }, 60_000);

  afterAll(async () => {
    await sandbox.stop();
    await rm(folder, {recursive: true});
  });

  async function hold(id: string, run: Run): Promise<void> {
    const args = run.args.map((arg) => arg.replace('TMP', folder));
    const ownEnv = Object.fromEntries(Object.entries(run.env ?? {}).map(([name, value]) => [name, value.replace('TMP', folder)]));
    const json = args.includes('-o') ? [] : args.includes('--') ? ['-o', 'json'] : [];
    const words = args.includes('--') ? [...args.slice(0, args.indexOf('--')), ...json, ...args.slice(args.indexOf('--'))] : [...args, '-o', 'json'];
    const ran = await trireme(words, {cwd: folder, env: {HOME: folder, ...sandbox.env, ...ownEnv}, timeout: 110_000});
    const said = `${ran.stderr}\n${ran.stdout}`;
    expect(() => JSON.parse(ran.stdout) as unknown, said).not.toThrow();
    const envelope = envelopeResult.parse(JSON.parse(ran.stdout));
    expect({exit: envelope.exit, code: envelope.problem?.code}, said).toEqual({exit: run.exit, code: run.code});
    expect(envelope).toMatchObject({ok: run.exit === 0, command: id});
    expect(ran.code, said).toBe(run.exit);
    expect(ran.stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
    if (run.exit !== 0 && run.hasResult !== true) expect(envelope.result).toBeNull();
    else (await requireSchema(id)).parse(envelope.result);
  }

  async function requireSchema(id: string): Promise<z.ZodType> {
    const schema = await commands.get(id)?.resultSchema?.();
    if (schema === undefined) throw new Error(`trireme ${id} has no result schema`);
    return schema;
  }

  it('is tried for every command there is', () => {
    expect(Object.keys(table).toSorted()).toEqual([...commands.keys()].toSorted());
  });

  it.each(Object.entries(before))('%s, before there is a cluster', (id, run) => hold(id, run));

  const all = Object.entries(table);
  it.each(all.flatMap(([id, {success}]) => (typeof success === 'string' ? [] : [[id, success] as const])))('%s, when it succeeds', (id, run) => hold(id, run));
  it.each(all.map(([id, {failure}]) => [id, failure] as const))('%s, when it fails', (id, run) => hold(id, run));

  it('does not take just anything: each schema refuses a result with one more field', async () => {
    // a JSON Schema has any fields it likes
    for (const id of commands.keys()) if (id !== 'schema') expect((await requireSchema(id)).safeParse({cheese: true}).success, id).toBe(false);
  });
});
