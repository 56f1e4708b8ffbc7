// What Cluster API refuses in a Cluster: the topology's version, class, pools and variables.
import {listAt, textAt, valueAt, type KubeObject} from '../../../kube/object.ts';
import type {FieldError} from '../failure.ts';
import {compareVersions, parseVersion, skipsMinor, type Version} from '../versions.ts';
import type {Rules, World} from './admission.ts';
import {forbiddenField, internalError, invalidField, requiredField} from './field-error.ts';
import {checkVariables, definitionsOf, type Variable} from './variables.ts';
import {withV} from './versions-of.ts';

const group = 'cluster.x-k8s.io';
const skipVersionCheck = 'unsafe.topology.cluster.x-k8s.io/disable-update-version-check';
const pendingHooks = 'runtime.cluster.x-k8s.io/pending-hooks';
const topologyOf = (cluster: KubeObject | undefined) => valueAt(cluster, 'spec', 'topology') as Readonly<Record<string, unknown>> | undefined;

export function classOf(cluster: KubeObject, {store, kinds}: World): KubeObject | undefined {
  const name = textAt(cluster, 'spec', 'topology', 'classRef', 'name');
  const namespace = textAt(cluster, 'spec', 'topology', 'classRef', 'namespace') ?? cluster.metadata.namespace;
  return name === undefined ? undefined : store.get(kinds.need(group, 'ClusterClass'), name, namespace);
}

const isReconciled = (clusterClass: KubeObject) =>
  clusterClass.metadata.generation === valueAt(clusterClass, 'status', 'observedGeneration') &&
  listAt(clusterClass, 'status', 'conditions').some((one) => textAt(one, 'type') === 'VariablesReady' && textAt(one, 'status') === 'True');

interface Pool {
  readonly name: string;
  readonly class: string;
  readonly variables?: {readonly overrides?: readonly Variable[]};
}

const poolsOf = (cluster: KubeObject, kind: PoolKind) => listAt(cluster, 'spec', 'topology', 'workers', kind) as readonly Pool[];
type PoolKind = 'machineDeployments' | 'machinePools';
const poolKinds: readonly PoolKind[] = ['machineDeployments', 'machinePools'];

function mutate(draft: KubeObject, _old: KubeObject | undefined, world: World) {
  const topology = topologyOf(draft);
  if (topology === undefined) return {object: draft};
  const versioned: Record<string, unknown> = {...topology, version: withV(topology['version'] as string)};
  const withTopology = (value: unknown) => ({...draft, spec: {...(draft['spec'] as object), topology: value}}) as KubeObject;
  const clusterClass = classOf(draft, world);
  if (clusterClass === undefined || !isReconciled(clusterClass)) return {object: withTopology(versioned)};
  const definitions = definitionsOf(clusterClass);
  const path = 'spec.topology';
  const whole = checkVariables((topology['variables'] as readonly Variable[] | undefined) ?? [], definitions, `${path}.variables`, true);
  const errors = [...whole.errors];
  if (whole.variables.length > 0) versioned['variables'] = whole.variables;
  const controlPlane = topology['controlPlane'] as {readonly variables?: {readonly overrides?: readonly Variable[]}} | undefined;
  const overrides = controlPlane?.variables?.overrides ?? [];
  if (overrides.length > 0) {
    const checked = checkVariables(overrides, definitions, `${path}.controlPlane.variables.overrides`, false);
    errors.push(...checked.errors);
    versioned['controlPlane'] = {...controlPlane, variables: {overrides: checked.variables}};
  }
  const workers: Record<string, unknown> = {...(topology['workers'] as object | undefined)};
  for (const kind of poolKinds) {
    const pools = poolsOf(draft, kind);
    if (!pools.some((pool) => (pool.variables?.overrides ?? []).length > 0)) continue;
    workers[kind] = pools.map((pool) => {
      if ((pool.variables?.overrides ?? []).length === 0) return pool;
      const checked = checkVariables(pool.variables?.overrides ?? [], definitions, `${path}.workers.${kind}[${pool.name}].variables.overrides`, false);
      errors.push(...checked.errors);
      return {...pool, variables: {overrides: checked.variables}};
    });
    versioned['workers'] = workers;
  }
  return {object: withTopology(versioned), errors};
}

function validate(cluster: KubeObject, old: KubeObject | undefined, world: World, warn: (message: string) => void): readonly FieldError[] {
  const errors: FieldError[] = [];
  const {name} = cluster.metadata;
  if (name.length > 63) errors.push(invalidField('metadata.name', name, 'must be a valid label value must be no more than 63 bytes'));
  const has = (object: KubeObject | undefined, field: string) => valueAt(object, 'spec', field) !== undefined;
  if (!has(cluster, 'infrastructureRef') && has(old, 'infrastructureRef')) errors.push(forbiddenField('spec.infrastructureRef', 'cannot be removed'));
  if (!has(cluster, 'controlPlaneRef') && !has(cluster, 'infrastructureRef') && !has(cluster, 'topology'))
    errors.push(forbiddenField('spec', 'one of spec.controlPlaneRef, spec.infrastructureRef or spec.topology must be set'));
  if (!has(cluster, 'controlPlaneRef') && has(old, 'controlPlaneRef')) errors.push(forbiddenField('spec.controlPlaneRef', 'cannot be removed'));
  for (const kind of ['pods', 'services'])
    for (const [index, block] of listAt(cluster, 'spec', 'clusterNetwork', kind, 'cidrBlocks').entries())
      if (!isCidr(String(block)))
        errors.push(invalidField(`spec.clusterNetwork.${kind}.cidrBlocks[${index}]`, block, `invalid CIDR address: ${String(block)}`));
  if (topologyOf(cluster) !== undefined) errors.push(...topologyErrors(cluster, old, world, warn));
  if (topologyOf(old) !== undefined && topologyOf(cluster) === undefined)
    errors.push(forbiddenField('spec.topology', 'cannot be removed from an existing Cluster'));
  return errors;
}

const isCidr = (text: string) => /^(\d{1,3}(\.\d{1,3}){3}\/\d{1,2}|[0-9a-fA-F:]+\/\d{1,3})$/.test(text);

function topologyErrors(cluster: KubeObject, old: KubeObject | undefined, world: World, warn: (message: string) => void): readonly FieldError[] {
  const version = textAt(cluster, 'spec', 'topology', 'version') ?? '';
  const wanted = parseVersion(version);
  const errors: FieldError[] = [];
  if (wanted === undefined) errors.push(invalidField('spec.topology.version', version, 'version must be a valid semantic version'));
  const concurrency = cluster.metadata.annotations?.['topology.cluster.x-k8s.io/upgrade-concurrency'];
  if (concurrency !== undefined && !/^[1-9]\d*$/.test(concurrency))
    errors.push(invalidField('metadata.annotations.topology.cluster.x-k8s.io/upgrade-concurrency', concurrency, 'value cannot be less than 1'));
  const clusterClass = classOf(cluster, world);
  const className = `${textAt(cluster, 'spec', 'topology', 'classRef', 'namespace') ?? cluster.metadata.namespace}/${textAt(cluster, 'spec', 'topology', 'classRef', 'name')}`;
  if (clusterClass === undefined)
    warn(
      `Cluster refers to ClusterClass ${className}, but this ClusterClass does not exist. Cluster topology has not been fully validated. The ClusterClass must be created to reconcile the Cluster`,
    );
  else {
    if (!isReconciled(clusterClass))
      warn(
        `Cluster refers to ClusterClass ${className}, but this ClusterClass hasn't been successfully reconciled. Cluster topology has not been fully validated. Please take a look at the ClusterClass status`,
      );
    errors.push(...classErrors(cluster, clusterClass));
  }
  if (old === undefined) return errors;
  if (clusterClass === undefined) return [...errors, internalError('spec.topology.class', `ClusterClass ${className} not found`)];
  if (topologyOf(old) === undefined) return [...errors, forbiddenField('spec.topology.class', 'classRef cannot be set on an existing Cluster')];
  const before = parseVersion(textAt(old, 'spec', 'topology', 'version'));
  if (cluster.metadata.annotations?.[skipVersionCheck] !== undefined)
    warn(`Skipping version validation for Cluster because annotation "${skipVersionCheck}" is set.`);
  else if (wanted !== undefined && before !== undefined) {
    const hasCeiling = listAt(clusterClass, 'spec', 'kubernetesVersions').length === 0;
    const error = versionChangeError({cluster: old, version, wanted, before, hasCeiling}, world);
    if (error !== undefined) errors.push(error);
  }
  return errors;
}

function classErrors(cluster: KubeObject, clusterClass: KubeObject): readonly FieldError[] {
  const errors: FieldError[] = [];
  const versions = listAt(clusterClass, 'spec', 'kubernetesVersions');
  const version = textAt(cluster, 'spec', 'topology', 'version');
  if (versions.length > 0 && !versions.includes(version))
    errors.push(invalidField('spec.topology.version', version, 'version must match one of the versions defined in the ClusterClass'));
  for (const kind of poolKinds) {
    const classes = new Set(listAt(clusterClass, 'spec', 'workers', kind).map((one) => textAt(one, 'class')));
    const noun = kind === 'machineDeployments' ? 'MachineDeployment' : 'MachinePool';
    const seen = new Set<string>();
    for (const [index, pool] of poolsOf(cluster, kind).entries()) {
      const path = `spec.topology.workers.${kind}[${index}]`;
      if (!classes.has(pool.class))
        errors.push(
          invalidField(`${path}.class`, pool.class, `${noun}Class with name "${pool.class}" does not exist in ClusterClass "${clusterClass.metadata.name}"`),
        );
      if (pool.name === '') errors.push(requiredField(`${path}.name`, 'name must not be empty'));
      if (seen.has(pool.name))
        errors.push(invalidField(`${path}.name`, pool.name, `name must be unique. ${noun} with name "${pool.name}" is defined more than once`));
      seen.add(pool.name);
    }
  }
  return errors;
}

interface VersionChange {
  /** As it is now. */
  readonly cluster: KubeObject;
  readonly version: string;
  readonly wanted: Version;
  readonly before: Version;
  readonly hasCeiling: boolean;
}

function versionChangeError({cluster, version, wanted, before, hasCeiling}: VersionChange, world: World): FieldError | undefined {
  const path = 'spec.topology.version';
  if (wanted.text === before.text) return undefined;
  if (compareVersions(wanted, before) < 0) return invalidField(path, version, `version cannot be decreased from "${before.text}" to "${wanted.text}"`);
  if (hasCeiling && skipsMinor(before, wanted)) return invalidField(path, version, `version cannot be increased from "${before.text}" to "${wanted.text}"`);
  if (cluster.metadata.annotations?.[pendingHooks]?.split(',').includes('AfterClusterUpgrade'))
    return invalidField(path, version, 'version cannot be changed when the "AfterClusterUpgrade" hook is still blocking');
  const why = [controlPlaneUpgrading(cluster, before, world), deploymentsUpgrading(cluster, before, world)].filter((text) => text !== undefined);
  if (why.length === 0) return undefined;
  return invalidField(path, version, `version cannot be changed: ${why.length === 1 ? why[0] : `[${why.join(', ')}]`}`);
}

function controlPlaneUpgrading(cluster: KubeObject, before: Version, {store, kinds}: World): string | undefined {
  const name = textAt(cluster, 'spec', 'controlPlaneRef', 'name');
  const controlPlane =
    name === undefined ? undefined : store.get(kinds.need('controlplane.cluster.x-k8s.io', 'KubeadmControlPlane'), name, cluster.metadata.namespace);
  if (controlPlane === undefined) return 'failed to check if control plane is upgrading: failed to get control plane object';
  const version = parseVersion(textAt(controlPlane, 'spec', 'version'));
  if (version?.text !== before.text)
    return `Cluster.spec.topology.version ${before.text} was not propagated to control plane yet (control plane version ${version?.text})`;
  const status = parseVersion(textAt(controlPlane, 'status', 'version'));
  if (status === undefined) return 'control plane is currently provisioning';
  return compareVersions(status, version) < 0 ? 'control plane is still completing a previous upgrade' : undefined;
}

function deploymentsUpgrading(cluster: KubeObject, before: Version, {store, kinds}: World): string | undefined {
  const upgrading = store
    .ofCluster(kinds.need(group, 'MachineDeployment'), cluster.metadata.name, cluster.metadata.namespace)
    .filter((one) => one.metadata.labels?.['topology.cluster.x-k8s.io/owned'] !== undefined)
    .filter((one) => {
      const version = textAt(one, 'spec', 'template', 'spec', 'version');
      if (parseVersion(version)?.text !== before.text) return true;
      return store
        .ofCluster(kinds.need(group, 'Machine'), cluster.metadata.name, cluster.metadata.namespace)
        .some(
          (machine) => machine.metadata.labels?.['cluster.x-k8s.io/deployment-name'] === one.metadata.name && textAt(machine, 'spec', 'version') !== version,
        );
    });
  if (upgrading.length === 0) return undefined;
  return `there are still MachineDeployments completing a previous upgrade: [${upgrading.map((one) => one.metadata.name).join(', ')}]`;
}

export const clusterRules: Rules = {webhook: 'cluster.cluster.x-k8s.io', mutate, validate};
