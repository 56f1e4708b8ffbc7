// Packets to a pod would go to the host's own network, or the other way round.
import {networksOverlap} from '../../parse/addresses.ts';
import type {HostCheck} from '../check.ts';

/** Interfaces that CNIs and runtimes make. */
const madeByCni = /^(cni|cbr|flannel|cali|vxlan\.calico|tunl|cilium|lxc|veth|kube-|dummy|nodelocaldns|weave|ovn|antrea)/;

export const networkOverlap: HostCheck = {
  id: 'network-overlap',
  title: "The cluster's networks don't overlap the host's",
  severity: 'error',
  scope: 'host',
  run: ({facts, ours}, {cluster}) => {
    const {pods, services} = cluster.spec.network;
    const isOwn = (name: string) => ours && madeByCni.test(name);
    const networks = [
      ...facts.interfaces.filter(({name}) => name !== 'lo' && !isOwn(name)).flatMap(({name, addresses}) => addresses.map((network) => ({name, network}))),
      // a route to one pod network by way of another node is the CNI's (host-gw, direct routing)
      ...facts.routes
        .filter((route) => !route.network.endsWith('/0') && !isOwn(route.interface) && !(ours && route.gateway !== undefined))
        .map((route) => ({name: route.interface, network: route.network})),
    ];
    const hits = [...pods.map((cidr) => ({kind: 'pods', cidr})), ...services.map((cidr) => ({kind: 'services', cidr}))].flatMap(({kind, cidr}) => {
      const hit = networks.find(({network}) => networksOverlap(network, cidr));
      return hit === undefined ? [] : [{kind, cidr, ...hit}];
    });
    return hits.map(({kind, cidr, name, network}) => ({
      observed: `${network} on ${name} overlaps spec.network.${kind} ${cidr}`,
      wanted: 'networks apart from each other',
      remedy: `choose another network for spec.network.${kind}; it can't be changed later`,
    }));
  },
};
