// Recorded hosts as a cluster that a test bends out of shape.
import {readFileSync} from 'node:fs';
import type {HostFacts, HostObservation} from '../../../src/hosts/facts.ts';
import {parseFacts} from '../../../src/hosts/facts-parse.ts';
import {preflightContext} from '../../../src/hosts/preflight/context.ts';
import type {PreflightContext} from '../../../src/hosts/preflight/check.ts';
import type {Problem} from '../../../src/kernel/problem.ts';
import {clusterDocument, type ClusterDocument} from '../../../src/spec/schema.ts';

/** The word that the recorded outputs were made with. */
export const recordedBoundary = '=trireme-0123456789abcdef';

export const recorded = (name: string) => readFileSync(new URL(`../../fixtures/hosts/${name}.txt`, import.meta.url), 'utf8');

const healthy = parseFacts(recorded('debian-13-healthy'), {host: 'h1', boundary: recordedBoundary});

/** Mutable, so that a test changes one thing in one line. */
export type Loose<T> = T extends readonly (infer E)[] ? Loose<E>[] : T extends object ? {-readonly [K in keyof T]: Loose<T[K]>} : T;

export interface Scene {
  document: Loose<ClusterDocument>;
  cni: string;
  facts: Record<string, Loose<HostFacts>>;
  problems: Record<string, Problem>;
}

/** h1 to h3 are control planes, h4 is a worker: all as the recorded healthy host, each with names and addresses of its own. */
export function healthyScene(): Scene {
  const names = ['h1', 'h2', 'h3', 'h4'];
  return {
    document: clusterDocument.parse({
      apiVersion: 'trireme.dev/v1alpha1',
      kind: 'Cluster',
      metadata: {name: 'berth'},
      spec: {
        mode: 'agent',
        kubernetes: {version: 'v1.36.3'},
        endpoint: {host: '10.77.0.11'},
        configuration: {kubelet: {}, sysctls: {}},
        agent: {hosts: names.map((name, index) => ({name, address: `10.77.0.${11 + index}`, role: index < 3 ? 'control-plane' : 'worker'}))},
      },
    }) as Loose<ClusterDocument>,
    cni: 'flannel',
    facts: Object.fromEntries(names.map((name, index) => [name, healthyHost(name, index)])),
    problems: {},
  };
}

function healthyHost(name: string, index: number): Loose<HostFacts> {
  const facts = structuredClone(healthy) as Loose<HostFacts>;
  const address = `10.77.0.${11 + index}`;
  const [ens3] = facts.interfaces;
  if (ens3 === undefined) throw new Error('the recorded host has no interface');
  ens3.mac = `52:54:00:12:34:0${index}`;
  ens3.addresses = [`${address}/24`];
  return {
    ...facts,
    host: name,
    hostname: name,
    machineId: healthy.machineId.slice(0, 31) + String(index),
    bootId: `57f6c351-e369-45f8-8b46-7b77e134500${index}`,
    defaultRoute: {interface: 'ens3', address},
    reachTool: 'bash',
    reach: Object.fromEntries([11, 12, 13, 14].flatMap((last) => [6443, 2379, 2380, 10_250].map((port) => [`10.77.0.${last}:${port}`, 'refused' as const]))),
    mtuTo: Object.fromEntries([11, 12, 13, 14].map((last) => [`10.77.0.${last}`, 1472])),
  };
}

/** What an agent of this cluster leaves in seen.json, as far as this room reads it. */
export const seen = (cluster: string, extra: Readonly<Record<string, unknown>> = {}) => ({
  protocol: 1,
  version: '0.1.0',
  member: true,
  wanted: {cluster: {name: cluster, id: 'x'}},
  ...extra,
});

export function contextOf(scene: Scene): PreflightContext {
  const observations: HostObservation[] = (scene.document.spec.agent?.hosts ?? []).flatMap(({name}): HostObservation[] => {
    const problem = scene.problems[name];
    const facts = scene.facts[name];
    if (problem !== undefined) return [{host: name, problem}];
    return facts === undefined ? [] : [{host: name, facts: facts as HostFacts}];
  });
  return preflightContext({
    cluster: scene.document as ClusterDocument,
    layers: scene.cni === '' ? [] : [{name: scene.cni, kind: 'cni'}],
    observations,
    protocol: 1,
  });
}
