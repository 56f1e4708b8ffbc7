#!/usr/bin/env node
// Judges clusters that were moved between two management clusters, by objects alone: on which side is each whole, and is it paused there?
//   check-move.mjs KUBECONFIG_A KUBECONFIG_B [--namespace N] [--count N]
// A cluster is whole on a side when its Cluster is there, nothing of it is being deleted, every owner that one of its objects names is there with the same
// uid, the objects that its Cluster and Machines refer to are there, and it has a Secret for each of ca, etcd, sa, proxy and kubeconfig. Exits 1 when a
// cluster is whole and unpaused on both sides or on none, or when the other side still holds something of it; --count also wants that many clusters.
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {defaultKubernetes, programs} from './parts.mjs';

const {values, positionals} = parseArgs({allowPositionals: true, options: {namespace: {type: 'string', short: 'n'}, count: {type: 'string'}}});
if (positionals.length !== 2) {
  console.error('usage: check-move.mjs KUBECONFIG_A KUBECONFIG_B [--namespace N] [--count N]');
  process.exit(2);
}
const kubectl = join(programs('kubernetes', defaultKubernetes), 'kubectl');
const nameLabel = 'cluster.x-k8s.io/cluster-name';
const ask = (kubeconfig, args) => execFileSync(kubectl, ['--kubeconfig', kubeconfig, ...args], {encoding: 'utf8', maxBuffer: 1 << 29});

/** Everything of Cluster API's kinds on a side, and the secrets that carry a cluster's name. */
const readSide = kubeconfig => {
  const kinds = JSON.parse(ask(kubeconfig, ['get', 'crd', '-l', 'clusterctl.cluster.x-k8s.io', '-o', 'json']))
    .items.filter(({metadata, spec}) => spec.scope === 'Namespaced' && !metadata.name.endsWith('.clusterctl.cluster.x-k8s.io'))
    .map(({metadata}) => metadata.name);
  const scope = values.namespace ? ['-n', values.namespace] : ['-A'];
  const objects = kinds.length === 0 ? [] : JSON.parse(ask(kubeconfig, ['get', kinds.join(','), ...scope, '-o', 'json'])).items;
  return [...objects, ...JSON.parse(ask(kubeconfig, ['get', 'secrets', ...scope, '-l', nameLabel, '-o', 'json'])).items];
};
const keyOf = ({kind, metadata}) => `${kind} ${metadata.namespace}/${metadata.name}`;

/** The clusters of a side: name -> {paused, complaints, size}. What has no Cluster of its name there is in it too, as a leftover. */
const judge = objects => {
  const byUid = new Map(objects.map(object => [object.metadata.uid, object]));
  const byKey = new Map(objects.map(object => [keyOf(object), object]));
  // an object belongs to a cluster by its label, or by the owners above it
  const clusterOf = (object, seen = new Set()) => {
    if (object.kind === 'Cluster') return `${object.metadata.namespace}/${object.metadata.name}`;
    const label = object.metadata.labels?.[nameLabel];
    if (label) return `${object.metadata.namespace}/${label}`;
    if (seen.has(object.metadata.uid)) return undefined;
    seen.add(object.metadata.uid);
    for (const {uid} of object.metadata.ownerReferences ?? []) {
      const found = byUid.has(uid) ? clusterOf(byUid.get(uid), seen) : undefined;
      if (found) return found;
    }
    return undefined;
  };
  const clusters = new Map();
  for (const object of objects) {
    const name = clusterOf(object);
    if (name) clusters.set(name, [...(clusters.get(name) ?? []), object]);
  }
  return new Map([...clusters].map(([name, own]) => {
    const complaints = [];
    const [namespace, short] = name.split('/');
    const cluster = byKey.get(`Cluster ${name}`);
    if (!cluster) complaints.push('its Cluster is missing');
    for (const object of own) {
      if (object.metadata.deletionTimestamp) complaints.push(`${keyOf(object)} is being deleted`);
      for (const owner of object.metadata.ownerReferences ?? []) {
        const found = byUid.get(owner.uid);
        if (!found) complaints.push(`${keyOf(object)} is owned by ${owner.kind} ${owner.name} of uid ${owner.uid}, which isn't there`);
        else if (found.kind !== owner.kind || found.metadata.name !== owner.name) complaints.push(`${keyOf(object)} names ${owner.kind} ${owner.name} by the uid of ${keyOf(found)}`);
      }
      if (object.kind !== 'Cluster' && (object.metadata.ownerReferences ?? []).length === 0) complaints.push(`${keyOf(object)} has no owner`);
      const {infrastructureRef, controlPlaneRef, bootstrap} = object.spec ?? {};
      for (const reference of [infrastructureRef, controlPlaneRef, bootstrap?.configRef]) {
        if (reference?.kind && !byKey.has(`${reference.kind} ${namespace}/${reference.name}`)) complaints.push(`${keyOf(object)} refers to ${reference.kind} ${reference.name}, which isn't there`);
      }
    }
    if (cluster) for (const purpose of ['ca', 'etcd', 'sa', 'proxy', 'kubeconfig']) if (!byKey.has(`Secret ${namespace}/${short}-${purpose}`)) complaints.push(`Secret ${short}-${purpose} is missing`);
    return [name, {paused: cluster?.spec.paused === true, complaints, size: own.length}];
  }));
};

const [a, b] = positionals.map(kubeconfig => judge(readSide(kubeconfig)));
let wrong = 0;
const names = [...new Set([...a.keys(), ...b.keys()])].toSorted();
for (const name of names) {
  const sides = [['A', a.get(name)], ['B', b.get(name)]].filter(([, side]) => side);
  const alive = sides.filter(([, side]) => side.complaints.length === 0 && !side.paused);
  const verdict = alive.length !== 1 ? `WRONG: whole and unpaused on ${alive.length === 0 ? 'no side' : 'both sides'}` : sides.length > 1 ? `WRONG: the other side still holds something` : 'right';
  if (verdict !== 'right') wrong += 1;
  const words = sides.map(([side, {paused, complaints, size}]) => `${side}: ${size} objects, ${complaints.length === 0 ? 'whole' : 'not whole'}, ${paused ? 'paused' : 'not paused'}`);
  console.log(`${name}  ${verdict}  ${words.join('; ')}`);
  for (const [side, {complaints}] of sides) for (const complaint of complaints.slice(0, 5)) console.log(`  ${side}: ${complaint}${complaint === complaints[4] && complaints.length > 5 ? ` (and ${complaints.length - 5} more)` : ''}`);
}
if (values.count !== undefined && names.length !== Number(values.count)) {
  wrong += 1;
  console.log(`WRONG: ${names.length} clusters, not ${values.count}`);
}
console.log(`${names.length} clusters, ${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
