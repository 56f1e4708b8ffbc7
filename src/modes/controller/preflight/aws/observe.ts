// Asks AWS with its own SDK, which is loaded only here and needn't be installed.
import {TriremeError} from '../../../../kernel/errors.ts';
import {mapPool} from '../../../../kernel/pool.ts';
import type {AwsSettings} from '../../../../spec/schema.ts';
import {awsPermissions} from '../../providers/permissions/aws.ts';
import {settled} from '../../providers/write-objects.ts';
import type {Asked, AwsFacts, QuotaSeen} from './facts.ts';
import {loadAwsSdk, type AwsSdk} from './sdk.ts';
import {principalOf, simulationsOf, type Simulation} from './simulations.ts';

/** What a cluster needs, from the file. */
export interface AwsNeed {
  readonly machines: number;
}

export async function observeAws(settings: AwsSettings, need: AwsNeed, signal: AbortSignal): Promise<AwsFacts> {
  const sdk = await loadAwsSdk(settings);
  try {
    const {region} = settings;
    const nothing = {failure: 'not asked, for there is no identity'} as const;
    const identity = await asked(() => sdk.identity(signal));
    if ('failure' in identity)
      return {region, simulated: sdk.simulated, identity, regions: nothing, principal: undefined, permissions: undefined, keyPair: undefined, quotas: nothing};
    const principal = settings.role ?? principalOf(identity.value.arn);
    const simulations = simulationsOf(awsPermissions, {account: identity.value.account, region});
    const {sshKeyName} = settings;
    const [regions, permissions, keyPair, quotas] = await Promise.all([
      asked(() => sdk.regions(signal)),
      principal === undefined ? undefined : asked(() => simulate(sdk, principal, simulations, signal)),
      sshKeyName === undefined ? undefined : asked(async () => ({name: sshKeyName, found: await sdk.hasKeyPair(sshKeyName, signal)})),
      asked(() => quotasOf(sdk, need, signal)),
    ]);
    return {region, simulated: sdk.simulated, identity, regions, principal, permissions, keyPair, quotas};
  } finally {
    sdk.close();
  }
}

async function simulate(sdk: AwsSdk, principal: string, simulations: readonly Simulation[], signal: AbortSignal) {
  const answers = settled(await mapPool(simulations, 2, (simulation) => sdk.simulate(principal, simulation, signal))).flat();
  const denied = answers.flatMap(({action, decision}) => (decision === 'allowed' ? [] : [{action, decision}]));
  return {simulated: answers.length, denied: [...new Map(denied.map((one) => [one.action, one])).values()].toSorted((a, b) => (a.action < b.action ? -1 : 1))};
}

/** kubeadm's own minimum for a machine. */
const leastCpus = 2;

/** VPCs and addresses as the provider makes them by default: one VPC, a NAT gateway with an address in each of three zones. */
async function quotasOf(sdk: AwsSdk, {machines}: AwsNeed, signal: AbortSignal): Promise<readonly QuotaSeen[]> {
  const [usage, vpcs, addresses, cpus] = await Promise.all([
    sdk.usage(signal),
    sdk.quota('vpc', 'L-F678F1CE', signal),
    sdk.quota('ec2', 'L-0263D0A3', signal),
    sdk.quota('ec2', 'L-1216C47A', signal),
  ]);
  return [
    {title: 'VPCs', code: 'L-F678F1CE', limit: vpcs, used: usage.vpcs, needed: 1},
    {title: 'Elastic IP addresses', code: 'L-0263D0A3', limit: addresses, used: usage.addresses, needed: 3},
    {title: 'vCPUs of On-Demand Standard instances', code: 'L-1216C47A', limit: cpus, used: usage.cpus, needed: machines * leastCpus},
  ];
}

/** AWS's refusals and silences, as text; a bug stays a bug. */
async function asked<T>(work: () => Promise<T>): Promise<Asked<T>> {
  try {
    return {value: await work()};
  } catch (error) {
    if (error instanceof TriremeError) throw error;
    const {name, message, $metadata, code} = error as {name?: string; message?: string; $metadata?: unknown; code?: string};
    const isCloud = $metadata !== undefined || code !== undefined || name === 'CredentialsProviderError' || name === 'TimeoutError';
    if (!isCloud) throw error;
    return {failure: `${name ?? 'Error'}: ${message === undefined || message === '' ? (code ?? 'no reason given') : message}`};
  }
}
