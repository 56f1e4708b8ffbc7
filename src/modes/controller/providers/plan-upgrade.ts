// The plan of `provider upgrade`, in clusterctl's order: old controllers to zero, then provider by provider the old objects out and the new ones in,
// CRDs and what is kept in them staying. Pure.
import semver from 'semver';
import {TriremeError} from '../../../kernel/errors.ts';
import type {KubeObject} from '../../../kube/object.ts';
import {listAt, textAt} from '../../../kube/object.ts';
import type {HostPlan, Phase, Plan} from '../../../plan/plan.ts';
import type {ControllerScope} from '../scope.ts';
import type {CertManagerComponents} from './cert-manager.ts';
import {type Components, crdsOf} from './components.ts';
import {storageVersionOf, type ManagementFacts} from './facts.ts';
import type {InstalledProvider} from './inventory.ts';
import {basisOf, remarksOf, subjectOf} from './plan-init.ts';
import {isSameProvider, labelOf, wordOfType} from './provider.ts';
import {certManagerSteps, certManagerWait, installSteps, type StepOptions, waitSteps} from './steps.ts';
import {migrateStorageStep, removeOldStep, scaleDownStep} from './upgrade-steps.ts';

export interface Upgrade {
  readonly from: InstalledProvider;
  readonly to: Components;
}

export interface UpgradeInput {
  readonly facts: ManagementFacts;
  /** In the order in which they are upgraded. */
  readonly upgrades: readonly Upgrade[];
  /** Asked for in the version that is there: an interrupted run may have left out the wait. */
  readonly present: readonly Components[];
  /** CRDs that are there now, by name. */
  readonly liveCrds: ReadonlyMap<string, KubeObject>;
  /** Set when cert-manager is ours and older than the one that would be installed. */
  readonly certManager: CertManagerComponents | undefined;
  readonly options: StepOptions & {readonly certManagerTimeout: number};
}

export function planUpgrade(input: UpgradeInput): Plan<ControllerScope> {
  const {facts, upgrades, present, certManager, options, liveCrds} = input;
  for (const upgrade of upgrades) requireStep(upgrade);
  const migrations = upgrades.map((upgrade) => ({upgrade, crds: crdsToMigrate(upgrade, liveCrds)}));
  const certManagerOptions = {...options, timeout: options.certManagerTimeout};
  const phases: Phase<ControllerScope>[] = [];
  if (certManager !== undefined) {
    phases.push({title: 'Upgrade cert-manager', steps: certManagerSteps(certManager, certManagerOptions), barrier: true});
    phases.push({title: 'Wait for cert-manager', steps: certManagerWait(certManager, certManagerOptions), barrier: true});
  }
  // before anything stops: conversion webhooks must answer while objects are written again
  phases.push({
    title: 'Write objects again in the present version',
    steps: migrations.flatMap(({upgrade, crds}) => crds.map((crd) => migrateStorageStep(labelOf(upgrade.from), crd))),
    barrier: true,
  });
  phases.push({title: 'Stop the old controllers', steps: upgrades.map(({from, to}) => scaleDownStep(from, to.version, options)), barrier: true});
  for (const {from, to} of upgrades)
    phases.push({
      title: `Upgrade ${labelOf(from)} to ${to.version}`,
      steps: [removeOldStep(from, to, options), ...installSteps(to, options)],
      barrier: true,
    });
  phases.push({title: 'Wait for the providers', steps: [...present, ...upgrades.map(({to}) => to)].flatMap((to) => waitSteps(to, options)), barrier: true});
  return {
    operation: 'provider upgrade',
    subject: subjectOf(facts),
    mode: 'controller',
    simulated: facts.simulated,
    hosts: [
      ...(certManager === undefined ? [] : [certManagerRow(facts, certManager)]),
      ...facts.installed.map((one) =>
        rowOf(
          one,
          upgrades.find(({from}) => isSameProvider(from, one)),
        ),
      ),
    ],
    phases: phases.filter(({steps}) => steps.length > 0),
    basis: basisOf(facts),
    warnings: upgrades.flatMap(({to}) => remarksOf(to)),
  };
}

/** How many minor versions Cluster API's own providers may skip (clusterctl v1.14 refuses more, from 1.10 on). */
const mostMinors = 3;

function requireStep({from, to}: Upgrade): void {
  const label = labelOf(from);
  if (semver.lt(to.version, from.version))
    throw new TriremeError('provider.incompatible', `${label} can't go back from ${from.version} to ${to.version}: objects are kept in newer versions.`, {
      hints: ['Choose a newer version, or restore the management cluster from a backup.'],
    });
  const isOwn = from.type === 'CoreProvider' || (from.name === 'kubeadm' && (from.type === 'BootstrapProvider' || from.type === 'ControlPlaneProvider'));
  if (isOwn && semver.gte(from.version, '1.10.0') && semver.minor(to.version) > semver.minor(from.version) + mostMinors)
    throw new TriremeError(
      'provider.incompatible',
      `${label} can't go from ${from.version} to ${to.version} at once: at most ${mostMinors} minor versions are skipped.`,
      {
        hints: [`Go by way of v${semver.major(from.version)}.${semver.minor(from.version) + mostMinors}.`],
      },
    );
}

/** CRDs with objects kept in versions that the new CRD drops. Throws when it drops even the one that objects are written in now. */
function crdsToMigrate({from, to}: Upgrade, live: ReadonlyMap<string, KubeObject>): readonly KubeObject[] {
  return crdsOf(to.objects).filter((crd) => {
    const now = live.get(crd.metadata.name);
    if (now === undefined) return false;
    const versions = listAt(crd, 'spec', 'versions').map((version) => textAt(version, 'name'));
    const storage = storageVersionOf(now);
    if (storage !== undefined && !versions.includes(storage))
      throw new TriremeError(
        'provider.incompatible',
        `${labelOf(from)} can't go to ${to.version} at once: its CRD ${crd.metadata.name} drops ${storage}, in which objects are kept now.`,
        {
          hints: ['Upgrade to a version between them first: one that still has both.'],
        },
      );
    return listAt(now, 'status', 'storedVersions').some((version) => !versions.includes(String(version)));
  });
}

function rowOf(one: InstalledProvider, upgrade: Upgrade | undefined): HostPlan {
  const base = {host: labelOf(one), role: wordOfType(one.type)};
  if (upgrade === undefined) return {...base, state: 'unchanged', effect: 'none', changes: []};
  const {to} = upgrade;
  return {
    ...base,
    state: 'changed',
    effect: 'restart',
    changes: [
      {path: 'version', from: one.version, to: to.version, effect: 'restart', why: 'its controllers stand still meanwhile; clusters go on running'},
      {path: 'images', to: to.images.join(', '), effect: 'none'},
      {path: 'from', to: to.place, effect: 'none'},
    ],
  };
}

function certManagerRow({certManager}: ManagementFacts, to: CertManagerComponents): HostPlan {
  const from = certManager.state === 'ours' ? certManager.version : undefined;
  return {
    host: 'cert-manager',
    role: 'certificates',
    state: 'changed',
    effect: 'restart',
    changes: [{path: 'version', ...(from === undefined ? {} : {from}), to: to.version, effect: 'restart'}],
  };
}
