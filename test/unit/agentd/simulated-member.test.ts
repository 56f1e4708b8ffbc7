// The simulated etcd: who has joined is heard, whatever becomes of the rest of its join.
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {SimulatedMember} from '../../../src/agentd/distributions/simulated/member.ts';
import {SimulatedServer, tokens, type SimulatedEtcdMember} from '../../../src/agentd/distributions/simulated/server.ts';
import {ClusterApi} from '../../../src/agentd/cluster-api.ts';
import type {Target} from '../../../src/agentd/reconciler.ts';
import {waitFor} from '../../../src/kernel/retry.ts';
import {freePort} from '../../../src/sandbox/sandbox.ts';
import {targetFixture, type TargetFixture} from './agentd-fixture.ts';

const secret = 'abcdef.0123456789abcdef';

let server: SimulatedServer;
let api: ClusterApi;
let fixture: TargetFixture;
let target: Target;
let member: SimulatedMember;

async function serve(members: readonly string[]): Promise<void> {
  const port = await freePort();
  const state = {nodes: {}, layers: {}, network: true, members, revision: 7};
  server = new SimulatedServer({host: '127.0.0.1', port, secret, name: 'elsewhere', state, save: async () => {}});
  await server.listen();
  api = new ClusterApi({server: `http://127.0.0.1:${port}`, token: tokens.admin(secret)});
  fixture = await targetFixture({distribution: 'simulated', endpoint: {host: '127.0.0.1', port}});
  target = {...fixture.target, secrets: {bootstrapToken: secret} as Target['secrets']};
}
beforeEach(() => {
  member = new SimulatedMember();
});
afterEach(async () => {
  vi.useRealTimers();
  await member.close();
  api.close();
  await server.close();
  await fixture.remove();
});

const copyOf = async (name: string) => (await api.get<readonly SimulatedEtcdMember[]>('/simulated/v1/members'))?.find((one) => one.name === name)?.revision;

describe('a simulated etcd member', () => {
  it('goes on saying how new its copy is before its kubelet runs', async () => {
    await serve([]);
    await member.joinEtcd(target, AbortSignal.timeout(10_000));
    expect(await copyOf('h1')).toBe(8);
    await api.change({method: 'PUT', path: '/simulated/v1/layers/cni', body: {digest: 'sha256:1', kind: 'cni'}});
    expect(await waitFor(async () => ((await copyOf('h1')) === 9 ? true : undefined), {timeout: 10_000, interval: 50})).toBe(true);
  });

  it('that is known already joins again without a majority, so that there can be one', async () => {
    await serve(['h1', 'h2', 'h3']);
    vi.useFakeTimers({toFake: ['Date'], now: Date.now() + 60_000});
    const join = async (name: string) => (await api.send({method: 'POST', path: '/simulated/v1/members', body: {name}})).status;
    expect(await join('h4')).toBe(503);
    expect([await join('h1'), await join('h2')]).toEqual([201, 201]);
    expect(await join('h4')).toBe(201);
  });
});
