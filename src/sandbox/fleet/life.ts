// What happens in the demonstration's fleet by itself: upgrades, tides of machines, a pool without capacity, a node and a host that go away for a while.
import {textAt, valueAt, type KubeObject} from '../../kube/object.ts';
import type {Draft} from '../management/draft.ts';
import type {ManagementApi} from '../management/management.ts';
import type {Sandbox} from '../sandbox.ts';
import {clusterDraft, demoClusters, upgradePath, type DemoCluster} from './clusters.ts';

export interface LifeOptions {
  readonly management: ManagementApi;
  readonly hosts: Sandbox;
  /** The management cluster's fleet is there for the first time. */
  onReady(): void;
}

export interface Life {
  /** The cluster of hosts is made: its hosts may go away for a while from now on. */
  hostsAreUp(): void;
  stop(): void;
}

/** How often it looks what there is to do, in ms. */
const beat = 1000;
const group = 'cluster.x-k8s.io';
const context = {manager: 'sandbox-life'};

// how long each thing lasts, in beats
const rest = {upgrade: 15, tide: 20, shortage: 90, plenty: 45, node: 25, nodeAway: 40, skerry: 60, gone: 10, host: 75, hostAway: 30};

/** Makes the clusters, and then lets things happen until it is stopped. What a person changes stays: each thing begins with what it finds. */
export function startLife({management, hosts, onReady}: LifeOptions): Life {
  const fleet = fleetOf(management);
  for (const namespace of ['north', 'south']) fleet.makeNamespace(namespace);
  for (const cluster of Object.values(demoClusters)) fleet.make(cluster);
  let isReady = false;
  let areHostsUp = false;
  const stories: readonly Story[] = [
    every(rest.upgrade, () => fleet.upgradeOn(demoClusters.lagoon)),
    every(rest.tide, () => fleet.scale(demoClusters.fjord, (now) => (now > 3 ? 2 : 5))),
    shortage(fleet),
    lostNode(fleet),
    comesAndGoes(fleet),
  ];
  const away = hostAway(hosts);
  const timer = setInterval(() => {
    if (!isReady) {
      if (!Object.values(demoClusters).every((cluster) => fleet.isAtRest(cluster))) return;
      isReady = true;
      fleet.change(demoClusters.jetty, (spec) => ({...spec, paused: true}));
      onReady();
      // the first sight has an upgrade and something broken in it
      fleet.upgradeOn(demoClusters.lagoon);
    }
    for (const story of stories) story();
    if (areHostsUp) away();
  }, beat);
  return {hostsAreUp: () => (areHostsUp = true), stop: () => clearInterval(timer)};
}

type Story = () => void;

function every(beats: number, act: () => void): Story {
  let waited = 0;
  return () => {
    waited += 1;
    if (waited < beats) return;
    waited = 0;
    act();
  };
}

/** Things that follow each other, each after its number of beats, again and again. */
function inTurn(...chapters: readonly (readonly [beats: number, act: () => void])[]): Story {
  let at = 0;
  let waited = 0;
  return () => {
    const [beats, act] = chapters[at] ?? [0, () => {}];
    waited += 1;
    if (waited < beats) return;
    waited = 0;
    at = (at + 1) % chapters.length;
    act();
  };
}

type Fleet = ReturnType<typeof fleetOf>;

/** A pool grows where there's no capacity; later there is some. */
function shortage(fleet: Fleet): Story {
  const {reef} = demoClusters;
  const part = `${reef.name}/${reef.pools[0].name}`;
  const begin = () => {
    fleet.faults.stuckInfrastructure.add(part);
    fleet.scale(reef, () => 3);
  };
  return inTurn(
    [1, begin],
    [rest.shortage, () => fleet.faults.stuckInfrastructure.delete(part)],
    [rest.plenty, () => fleet.scale(reef, () => 1)],
    [10, () => {}],
  );
}

/** A node stops answering, and comes back after a while, if nobody replaced its machine. */
function lostNode(fleet: Fleet): Story {
  const lose = () => {
    const name = fleet.workersOf(demoClusters.atoll)[0]?.metadata.name;
    if (name === undefined) return;
    fleet.faults.lostNodes.add(name);
    fleet.nudge(name, demoClusters.atoll.namespace);
  };
  return inTurn([5, lose], [rest.nodeAway, () => fleet.faults.lostNodes.clear()], [rest.node, () => {}]);
}

function comesAndGoes(fleet: Fleet): Story {
  const {skerry} = demoClusters;
  return inTurn([rest.skerry, () => fleet.remove(skerry)], [rest.gone, () => fleet.make(skerry)]);
}

/** A host loses its power, and gets it back. */
function hostAway(hosts: Sandbox): Story {
  const host = hosts.hosts.at(-1);
  return inTurn([rest.host, () => void host?.powerCut().catch(() => {})], [rest.hostAway, () => void host?.powerOn().catch(() => {})]);
}

/** The few things that are done to clusters; whatever isn't there any more is left alone. */
function fleetOf({writes, store, kinds, faults}: ManagementApi) {
  const clusters = kinds.need(group, 'Cluster');
  const machines = kinds.need(group, 'Machine');
  const placeOf = ({name, namespace}: DemoCluster) => ({name, namespace});
  const find = ({name, namespace}: DemoCluster) => store.get(clusters, name, namespace);
  const machinesOf = ({name, namespace}: DemoCluster): readonly KubeObject[] =>
    store.list(machines, namespace).filter((one) => textAt(one, 'spec', 'clusterName') === name);
  const change = (cluster: DemoCluster, mutate: (spec: Draft) => Draft) => {
    const live = find(cluster);
    if (live === undefined || live.metadata.deletionTimestamp !== undefined) return;
    writes.change(clusters, placeOf(cluster), (draft) => ({...draft, spec: mutate(draft['spec'] as Draft)}), context);
  };
  const changeTopology = (cluster: DemoCluster, mutate: (topology: Draft) => Draft) =>
    change(cluster, (spec) => ({...spec, topology: mutate(spec['topology'] as Draft)}));
  const make = (cluster: DemoCluster) => {
    if (find(cluster) === undefined) writes.create(clusters, clusterDraft(cluster), cluster.namespace, context);
  };
  const remove = (cluster: DemoCluster) => {
    if (find(cluster)?.metadata.deletionTimestamp === undefined && find(cluster) !== undefined) writes.remove(clusters, placeOf(cluster), {});
  };
  /** Every machine is there, and has the version that is wanted. */
  const isAtRest = (cluster: DemoCluster) => {
    const live = find(cluster);
    const version = textAt(live, 'spec', 'topology', 'version');
    const pools = (valueAt(live, 'spec', 'topology', 'workers', 'machineDeployments') as readonly {readonly replicas?: number}[] | undefined) ?? [];
    const wanted = Number(valueAt(live, 'spec', 'topology', 'controlPlane', 'replicas') ?? 0) + pools.reduce((sum, pool) => sum + (pool.replicas ?? 0), 0);
    const up = machinesOf(cluster).filter((one) => textAt(one, 'spec', 'version') === version && textAt(one, 'status', 'phase') === 'Running');
    return live !== undefined && up.length === wanted && machinesOf(cluster).length === wanted;
  };
  return {
    faults,
    make,
    remove,
    change,
    isAtRest,
    makeNamespace: (name: string) => {
      const draft = {apiVersion: 'v1', kind: 'Namespace', metadata: {name, labels: {'kubernetes.io/metadata.name': name}}};
      writes.create(kinds.need('', 'Namespace'), draft, undefined, context);
    },
    /** The next version; after the last the cluster is made anew, with the first. */
    upgradeOn: (cluster: DemoCluster) => {
      if (find(cluster) === undefined) return make(cluster);
      if (!isAtRest(cluster)) return undefined;
      const version = textAt(find(cluster), 'spec', 'topology', 'version') ?? '';
      const next = upgradePath[upgradePath.findIndex((one) => one === version) + 1];
      return next === undefined || version === upgradePath.at(-1) ? remove(cluster) : changeTopology(cluster, (topology) => ({...topology, version: next}));
    },
    /** Gives the first pool another number of machines. */
    scale: (cluster: DemoCluster, replicasFor: (now: number) => number) =>
      changeTopology(cluster, (topology) => {
        const workers = topology['workers'] as {readonly machineDeployments: readonly {readonly replicas?: number}[]};
        const deployments = workers.machineDeployments.map((pool, index) => (index === 0 ? {...pool, replicas: replicasFor(pool.replicas ?? 0)} : pool));
        return {...topology, workers: {...workers, machineDeployments: deployments}};
      }),
    workersOf: (cluster: DemoCluster) =>
      machinesOf(cluster).filter(
        (one) => one.metadata.labels?.['cluster.x-k8s.io/control-plane'] === undefined && one.metadata.deletionTimestamp === undefined,
      ),
    /** Lets the controllers look at a machine. */
    nudge: (name: string, namespace: string) => {
      const stamp = {'trireme.dev/looked-at': new Date().toISOString()};
      writes.change(
        machines,
        {name, namespace},
        (draft) => {
          const metadata = draft['metadata'] as {readonly annotations?: Readonly<Record<string, string>>};
          return {...draft, metadata: {...metadata, annotations: {...metadata.annotations, ...stamp}}};
        },
        context,
      );
    },
  };
}
