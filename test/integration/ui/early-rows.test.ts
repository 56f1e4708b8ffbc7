// A large fleet's first rows, over the embedded management API (SIMULATED).
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {FleetChange} from '../../../src/fleet/fleet-store.ts';
import {Redactor} from '../../../src/kernel/redact.ts';
import {connect} from '../../../src/kube/client.ts';
import {watchFleet} from '../../../src/modes/controller/observe/observe.ts';
import {startManagement, type ManagementApi} from '../../../src/sandbox/management/management.ts';
import {seedFleet} from '../../../src/sandbox/management/scale-out.ts';

describe('the rows of a large fleet', () => {
  let management: ManagementApi;
  beforeAll(async () => {
    management = await startManagement({controllers: false});
    seedFleet(management, {clusters: 150, machines: 2});
  });
  afterAll(() => management.stop());

  it('come by a page of Clusters before anything else is listed, and then all of them, whole', async () => {
    const stop = new AbortController();
    const api = await connect({kubeconfig: management.kubeconfig.path, signal: stop.signal, redactor: new Redactor(), warn: () => {}});
    const place = {api, namespace: 'default', options: {signal: stop.signal}};
    const told: FleetChange[] = [];
    for await (const change of watchFleet(place, undefined, stop.signal, {early: true})) {
      told.push(change);
      // its next page may be on its way; machines aren't
      if (told.length === 1) expect(api.requests).toBeLessThanOrEqual(2);
      if (change.isPartial !== true) break;
    }
    stop.abort();
    api.close();
    const [first] = told;
    expect(first?.isPartial).toBe(true);
    expect(first?.changed).toHaveLength(60);
    expect(first?.changed[0]).toMatchObject({health: 'healthy', version: 'v1.36.3', controlPlanes: {ready: 1, wanted: 1}, workers: {ready: 1, wanted: 1}});
    const whole = told.at(-1);
    expect(whole?.changed).toHaveLength(150);
    expect(whole?.changed[0]?.pools).toHaveLength(1);
    expect(told.slice(0, -1).every((change) => change.isPartial === true)).toBe(true);
  });
});
