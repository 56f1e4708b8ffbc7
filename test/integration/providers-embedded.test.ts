// Providers on the embedded management API, in this process: everything in it is SIMULATED.
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import type {z} from 'zod';
import ProviderInit from '../../src/commands/provider/init.ts';
import ProviderList from '../../src/commands/provider/list.ts';
import ProviderUpgrade from '../../src/commands/provider/upgrade.ts';
import {Redactor} from '../../src/kernel/redact.ts';
import type {TriremeEvent} from '../../src/kernel/event.ts';
import {connect} from '../../src/kube/client.ts';
import {readConfiguration} from '../../src/modes/controller/providers/configuration.ts';
import {Library} from '../../src/modes/controller/providers/facts.ts';
import {listProviders} from '../../src/modes/controller/providers/list-providers.ts';
import {prepareInit} from '../../src/modes/controller/providers/prepare-init.ts';
import {askedByRun} from '../../src/modes/controller/providers/resume.ts';
import {ControllerScope} from '../../src/modes/controller/scope.ts';
import {executePlan} from '../../src/plan/execute.ts';
import {readRun} from '../../src/plan/ledger.ts';
import type {Plan} from '../../src/plan/plan.ts';
import {startManagement} from '../../src/sandbox/management/management.ts';
import {trireme} from '../support/trireme.ts';

describe('providers on the embedded management API', () => {
  let folder: string;
  const ends: (() => Promise<unknown> | void)[] = [];
  const stopping = new AbortController();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'trireme-providers-'));
  });
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
    await rm(folder, {recursive: true, force: true});
  });

  const signal = new AbortController().signal;
  const options = {signal, timeout: 10_000, hide: () => {}, warn: () => {}};

  async function open(providers: boolean) {
    const management = await startManagement({providers});
    ends.push(() => management.stop());
    const scopeOptions = {signal, redactor: new Redactor(), concurrency: 4, warn: () => {}};
    const api = await connect({kubeconfig: management.kubeconfig.path, signal, redactor: scopeOptions.redactor, warn: () => {}});
    ends.push(() => api.close());
    const configuration = await readConfiguration({env: {HOME: folder}});
    const root = providers ? {} : {root: join(folder, 'repository')};
    const library = new Library({configuration, signal, ...root, env: {GOPROXY: 'off'}});
    return {api, library, scope: new ControllerScope(api, 'default', scopeOptions)};
  }

  async function writeCore(versions: readonly string[]): Promise<void> {
    for (const version of versions) {
      const release = join(folder, 'repository/cluster-api', version);
      await mkdir(release, {recursive: true});
      const series = [{major: 1, minor: 14, contract: 'v1beta2'}];
      await writeFile(join(release, 'metadata.yaml'), stringify({apiVersion: 'clusterctl.cluster.x-k8s.io/v1alpha3', kind: 'Metadata', releaseSeries: series}));
      const objects = [
        {apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'capi-system'}},
        {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'settings', namespace: 'capi-system'}, data: {level: '${LEVEL:=two}'}},
      ];
      await writeFile(join(release, 'core-components.yaml'), objects.map((object) => stringify(object)).join('---\n'));
    }
  }

  const run = async (plan: Plan<ControllerScope>, scope: ControllerScope, stopAfter?: string) => {
    const stop = new AbortController();
    const subscriber = (event: TriremeEvent) => {
      if (event.type === 'step.finished' && event.step === stopAfter) stop.abort();
    };
    return executePlan(plan, {
      ...{scope, subscriber, folder, stopping: stop.signal, leaving: stopping.signal, concurrency: 4, maxFailures: 0},
      ...{files: [], specDigest: '', program: 'test', redactor: new Redactor()},
    });
  };
  const asked = {BootstrapProvider: ['-'], ControlPlaneProvider: ['-']};

  it('are listed from the inventory, marked as simulated, although their repositories can not be reached', async () => {
    const {api, library} = await open(true);
    const view = await listProviders(api, library, signal);
    expect(view.simulated).toBe(true);
    expect(view.providers.map(({provider, newest}) => [provider, newest])).toEqual([
      ['cluster-api', null],
      ['bootstrap-kubeadm', null],
      ['control-plane-kubeadm', null],
      ['infrastructure-docker', null],
    ]);
    expect(view.contract).toBe('v1beta2');
    expect(view.providers[0]?.reasons.join(' ')).toContain('module proxy');
  }, 30_000);

  it('are installed, go on after a stop at any step, and stay unchanged afterwards', async () => {
    await writeCore(['v1.14.1', 'v1.14.2']);
    const {api, library, scope} = await open(false);
    const first = await prepareInit(api, library, {...asked, CoreProvider: ['cluster-api:v1.14.1']}, options);
    const steps = first.phases.flatMap((phase) => phase.steps.map(({id}) => id));
    expect(steps).toEqual(['inventory/crd', 'cluster-api@v1.14.1/certificates', 'cluster-api@v1.14.1/objects', 'cluster-api@v1.14.1/inventory']);
    const stopped = await run(first, scope, 'cluster-api@v1.14.1/certificates');
    expect(stopped.outcome).toBe('interrupted');
    // without being told again which provider, and in the version that was chosen then, not in the newest
    const record = await readRun(folder, stopped.run);
    const again = askedByRun(record.events);
    expect(again).toEqual({...asked, CoreProvider: ['cluster-api:v1.14.1']});
    const second = await run(await prepareInit(api, library, again, options), scope);
    expect(second.outcome, second.problem?.message).toBe('succeeded');
    expect((await run(await prepareInit(api, library, again, options), scope)).outcome).toBe('unchanged');
    const settings = await api.get(await api.resource({apiVersion: 'v1', kind: 'ConfigMap'}), {name: 'settings', namespace: 'capi-system'});
    expect(settings?.['data']).toEqual({level: 'two'});
    const {providers} = await listProviders(api, library, signal);
    expect(providers).toMatchObject([{provider: 'cluster-api', version: 'v1.14.1', newest: 'v1.14.2', contract: 'v1beta2'}]);
  }, 30_000);

  it('of another version are refused before anything is written', async () => {
    await writeCore(['v1.14.1', 'v1.14.2']);
    const {api, library, scope} = await open(false);
    await run(await prepareInit(api, library, {...asked, CoreProvider: ['cluster-api:v1.14.1']}, options), scope);
    await expect(prepareInit(api, library, {...asked, CoreProvider: ['cluster-api:v1.14.2']}, options)).rejects.toMatchObject({code: 'provider.conflict'});
  }, 30_000);

  it('give JSON that fits the schemas of their commands, by the program itself', async () => {
    await writeCore(['v1.14.1', 'v1.14.2']);
    const management = await startManagement({providers: false});
    ends.push(() => management.stop());
    const env = {HOME: folder, TRIREME_KUBECONFIG: management.kubeconfig.path, TRIREME_REPOSITORY: join(folder, 'repository'), GOPROXY: 'off'};
    const result = async (schema: () => z.ZodType, ...args: readonly string[]) => {
      const {stdout, stderr, code} = await trireme(['provider', ...args, '-o', 'json'], {env, cwd: folder});
      expect(code, stderr).toBe(0);
      return schema().parse((JSON.parse(stdout) as {result: unknown}).result);
    };
    const core = ['--core', 'cluster-api:v1.14.1', '--bootstrap', '-', '--control-plane', '-'];
    expect(await result(ProviderInit.resultSchema, 'init', ...core, '--yes')).toMatchObject({run: {outcome: 'succeeded', simulated: true}});
    expect(await result(ProviderUpgrade.resultSchema, 'upgrade', '--dry-run')).toMatchObject({plan: {changes: true}, run: null});
    expect(await result(ProviderUpgrade.resultSchema, 'upgrade', '--yes')).toMatchObject({
      run: {outcome: 'succeeded', hosts: [{host: 'cluster-api', outcome: 'changed'}]},
    });
    expect(await result(ProviderList.resultSchema, 'list')).toMatchObject({
      simulated: true,
      providers: [{provider: 'cluster-api', version: 'v1.14.2', newest: null}],
    });
  }, 90_000);
});
