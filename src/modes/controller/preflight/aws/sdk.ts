// AWS's SDK behind the few questions that preflight asks. It is an optional package: 40 MiB that only users of AWS need.
import {TriremeError} from '../../../../kernel/errors.ts';
import type {AwsSettings} from '../../../../spec/schema.ts';
import type {Simulation} from './simulations.ts';

export interface AwsSdk {
  /** True once an answer said that it comes from a double. */
  readonly simulated: boolean;
  identity(signal: AbortSignal): Promise<{readonly account: string; readonly arn: string}>;
  regions(signal: AbortSignal): Promise<readonly {readonly name: string; readonly enabled: boolean}[]>;
  simulate(
    principal: string,
    simulation: Simulation,
    signal: AbortSignal,
  ): Promise<readonly {readonly action: string; readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny'}[]>;
  hasKeyPair(name: string, signal: AbortSignal): Promise<boolean>;
  quota(service: string, code: string, signal: AbortSignal): Promise<number>;
  usage(signal: AbortSignal): Promise<{readonly vpcs: number; readonly addresses: number; readonly cpus: number}>;
  close(): void;
}

const packages = ['@aws-sdk/client-sts', '@aws-sdk/client-iam', '@aws-sdk/client-ec2', '@aws-sdk/client-service-quotas'];

/** Throws `mode.unsupported`, with the command that installs it, where the SDK isn't there. */
export async function loadAwsSdk(settings: AwsSettings): Promise<AwsSdk> {
  const [sts, iam, ec2, quotas] = await Promise.all([
    import('@aws-sdk/client-sts'),
    import('@aws-sdk/client-iam'),
    import('@aws-sdk/client-ec2'),
    import('@aws-sdk/client-service-quotas'),
  ]).catch((error: unknown) => {
    throw new TriremeError('mode.unsupported', "The file names an AWS account, and AWS's SDK, which would look at it, isn't installed.", {
      hints: [`Install it beside this program: npm install --global ${packages.join(' ')}`, 'Or leave spec.controller.cloud out.'],
      cause: error,
    });
  });
  const {region, profile, endpoints} = settings;
  let simulated = false;
  const settingsFor = (endpoint: string | undefined) => ({
    region,
    maxAttempts: 3,
    ...(profile === undefined ? {} : {profile}),
    ...(endpoint === undefined ? {} : {endpoint}),
  });
  /** A double says so in a header of every answer. */
  const watched = <C extends {readonly middlewareStack: {add(middleware: never, options: never): void}}>(client: C): C => {
    const middleware = (next: (args: unknown) => Promise<{response: {headers?: Readonly<Record<string, string>>}}>) => async (args: unknown) => {
      const result = await next(args);
      if (result.response.headers?.['trireme-simulated'] === 'true') simulated = true;
      return result;
    };
    client.middlewareStack.add(middleware as never, {step: 'deserialize', name: 'seeDouble', priority: 'low'} as never);
    return client;
  };
  const clients = {
    sts: watched(new sts.STSClient(settingsFor(endpoints?.sts))),
    iam: watched(new iam.IAMClient(settingsFor(endpoints?.iam))),
    ec2: watched(new ec2.EC2Client(settingsFor(endpoints?.ec2))),
    quotas: watched(new quotas.ServiceQuotasClient(settingsFor(endpoints?.serviceQuotas))),
  };
  return {
    get simulated() {
      return simulated;
    },
    identity: async (signal) => {
      const {Account = '', Arn = ''} = await clients.sts.send(new sts.GetCallerIdentityCommand({}), {abortSignal: signal});
      return {account: Account, arn: Arn};
    },
    regions: async (signal) => {
      const {Regions = []} = await clients.ec2.send(new ec2.DescribeRegionsCommand({AllRegions: true}), {abortSignal: signal});
      return Regions.map(({RegionName = '', OptInStatus}) => ({name: RegionName, enabled: OptInStatus !== 'not-opted-in'}));
    },
    simulate: async (principal, {actions, resources, context}, signal) => {
      const input = {
        PolicySourceArn: principal,
        ActionNames: [...actions],
        ResourceArns: [...resources],
        ContextEntries: context.map(({key, value}) => ({ContextKeyName: key, ContextKeyValues: [value], ContextKeyType: 'string' as const})),
      };
      const found = [];
      for await (const page of iam.paginateSimulatePrincipalPolicy({client: clients.iam}, input)) {
        signal.throwIfAborted();
        for (const {EvalActionName = '', EvalDecision} of page.EvaluationResults ?? [])
          found.push({action: EvalActionName, decision: EvalDecision ?? ('implicitDeny' as const)});
      }
      return found;
    },
    hasKeyPair: async (name, signal) => {
      const {KeyPairs = []} = await clients.ec2.send(new ec2.DescribeKeyPairsCommand({Filters: [{Name: 'key-name', Values: [name]}]}), {abortSignal: signal});
      return KeyPairs.some(({KeyName}) => KeyName === name);
    },
    quota: async (service, code, signal) => {
      const {Quota} = await clients.quotas.send(new quotas.GetServiceQuotaCommand({ServiceCode: service, QuotaCode: code}), {abortSignal: signal});
      return Quota?.Value ?? 0;
    },
    usage: async (signal) => {
      const [vpcs, addresses] = await Promise.all([
        clients.ec2.send(new ec2.DescribeVpcsCommand({}), {abortSignal: signal}),
        clients.ec2.send(new ec2.DescribeAddressesCommand({}), {abortSignal: signal}),
      ]);
      let cpus = 0;
      const running = {Filters: [{Name: 'instance-state-name', Values: ['pending', 'running']}]};
      for await (const {Reservations = []} of ec2.paginateDescribeInstances({client: clients.ec2}, running)) {
        signal.throwIfAborted();
        for (const {CpuOptions, InstanceType = ''} of Reservations.flatMap(({Instances = []}) => Instances)) {
          // families A, C, D, H, I, M, R, T and Z count as Standard
          if (/^[acdhimrtz]/.test(InstanceType)) cpus += (CpuOptions?.CoreCount ?? 0) * (CpuOptions?.ThreadsPerCore ?? 1);
        }
      }
      return {vpcs: vpcs.Vpcs?.length ?? 0, addresses: addresses.Addresses?.length ?? 0, cpus};
    },
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
