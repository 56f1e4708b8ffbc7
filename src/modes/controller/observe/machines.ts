// The machines of a cluster as plain data. Pure.
import {listAt, textAt, type KubeObject} from '../../../kube/object.ts';
import type {MachineView, ObjectNode, PartView} from '../../mode.ts';
import {isControlPlaneMachine, versionOfMachine} from './family.ts';
import {reasonsOf} from './standing.ts';

/** One machine; `node` is its place in the tree, `pool` the name of what keeps it. */
export function machineView(machine: KubeObject, node: ObjectNode, pool: string | undefined): MachineView {
  const {metadata, spec, status} = machine;
  const nodeName = textAt(status, 'nodeRef', 'name');
  const version = versionOfMachine(machine);
  const infrastructure = partOf(node, 'infrastructure');
  const bootstrap = partOf(node, 'bootstrap');
  const upToDate = node.conditions.find((one) => one.type === 'UpToDate')?.status;
  const missing = node.children.filter((child) => child.missing === true).map((child) => `${child.kind}/${child.name} is missing`);
  const hidden = node.children.filter((child) => child.standing === 'bad' && child.missing !== true && child.role !== 'node');
  const optional = {
    namespace: metadata.namespace,
    pool,
    phase: textAt(status, 'phase'),
    node: nodeName,
    providerId: textAt(spec, 'providerID'),
    failureDomain: textAt(spec, 'failureDomain') ?? textAt(status, 'failureDomain'),
    created: metadata.creationTimestamp,
    deleting: metadata.deletionTimestamp,
    version,
    upToDate: upToDate === undefined || upToDate === 'Unknown' ? undefined : upToDate === 'True',
    infrastructure,
    bootstrap,
  };
  return {
    name: metadata.name,
    role: isControlPlaneMachine(machine) ? 'control-plane' : 'worker',
    address: addressOf(machine),
    state: stateOf(node, nodeName !== undefined),
    reasons: [
      ...missing,
      ...reasonsOf(node.conditions.filter((one) => one.echo !== true)),
      ...hidden.flatMap((child) => reasonsOf(child.conditions).map((text) => `${child.kind}: ${text}`)),
    ],
    drift: 0,
    standing: node.worst,
    paused: node.paused,
    conditions: node.conditions,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<MachineView>),
  };
}

function stateOf(node: ObjectNode, hasJoined: boolean): MachineView['state'] {
  const ready = node.conditions.find((one) => one.type === 'Ready');
  if (hasJoined && ready?.status === 'True' && node.worst !== 'bad') return 'ready';
  return hasJoined ? 'not-ready' : 'not-joined';
}

function addressOf({status}: KubeObject): string {
  const addresses = listAt(status, 'addresses');
  for (const type of ['InternalIP', 'ExternalIP', 'InternalDNS', 'ExternalDNS', 'Hostname']) {
    const found = addresses.find((one) => textAt(one, 'type') === type);
    if (found !== undefined) return textAt(found, 'address') ?? '';
  }
  return '';
}

function partOf(machine: ObjectNode, role: 'infrastructure' | 'bootstrap'): PartView | undefined {
  const node = machine.children.find((child) => child.role === role);
  if (node === undefined) return undefined;
  return {kind: node.kind, name: node.name, standing: node.standing, missing: node.missing === true, reasons: [...node.remarks, ...reasonsOf(node.conditions)]};
}
