// A double of the AWS endpoints that preflight asks: STS, IAM, EC2 and Service Quotas, as HTTP on loopback. It says that it is one in every answer.
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';

export interface AwsAccount {
  readonly arn: string;
  /** Actions that the simulation denies, each with its decision. */
  readonly denied?: Readonly<Record<string, 'implicitDeny' | 'explicitDeny'>>;
  readonly keyPairs?: readonly string[];
  readonly vpcs?: number;
  readonly addresses?: number;
  /** Instance types that run, each with 2 cores of 1 thread. */
  readonly instances?: readonly string[];
  /** Refused outright: `sts:GetCallerIdentity`, `iam:SimulatePrincipalPolicy`. */
  readonly forbidden?: readonly string[];
  readonly quotas?: Readonly<Record<string, number>>;
}

export interface AwsDouble {
  readonly url: string;
  readonly endpoints: {readonly sts: string; readonly iam: string; readonly ec2: string; readonly serviceQuotas: string};
  /** The forms of all requests, in order. */
  readonly asked: readonly Readonly<Record<string, string>>[];
  close(): Promise<void>;
}

/** Serves the account until `close`. */
export async function startAwsDouble(account: AwsAccount): Promise<AwsDouble> {
  const asked: Record<string, string>[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const target = String(request.headers['x-amz-target'] ?? '');
      const form =
        target === ''
          ? Object.fromEntries(new URLSearchParams(body))
          : {Action: target.split('.').at(-1) ?? '', ...(JSON.parse(body) as Record<string, string>)};
      asked.push(form);
      const {status, type, text} = answer(account, request.url ?? '/', form);
      response.writeHead(status, {'content-type': type, 'trireme-simulated': 'true'}).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    endpoints: {sts: `${url}/sts`, iam: `${url}/iam`, ec2: `${url}/ec2`, serviceQuotas: `${url}/quotas`},
    asked,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const xml = (text: string, status = 200): Answer => ({status, type: 'text/xml', text});
const list = (items: readonly string[], tag: string) => items.map((item) => `<${tag}>${item}</${tag}>`).join('');

function answer(account: AwsAccount, path: string, form: Readonly<Record<string, string>>): Answer {
  const action = form['Action'] ?? '';
  const service = path.split('/')[1] ?? '';
  if (account.forbidden?.includes(`${service}:${action}`) === true) {
    const [code, message] =
      service === 'sts'
        ? ['InvalidClientTokenId', 'The security token included in the request is invalid.']
        : ['AccessDenied', `not authorized to perform: ${service}:${action}`];
    if (service === 'ec2')
      return xml(`<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>1</RequestID></Response>`, 403);
    return xml(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
      403,
    );
  }
  switch (action) {
    case 'GetCallerIdentity':
      return xml(
        `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${account.arn}</Arn><UserId>A</UserId><Account>${account.arn.split(':')[4] ?? ''}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
      );
    case 'SimulatePrincipalPolicy': {
      const actions = Object.entries(form).flatMap(([key, value]) => (key.startsWith('ActionNames.member.') ? [value] : []));
      const members = actions.map((name) => `<EvalActionName>${name}</EvalActionName><EvalDecision>${account.denied?.[name] ?? 'allowed'}</EvalDecision>`);
      return xml(
        `<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated><EvaluationResults>${list(members, 'member')}</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`,
      );
    }
    case 'DescribeRegions':
      return xml(
        `<DescribeRegionsResponse><regionInfo>${list(['<regionName>eu-central-1</regionName><optInStatus>opt-in-not-required</optInStatus>', '<regionName>af-south-1</regionName><optInStatus>not-opted-in</optInStatus>'], 'item')}</regionInfo></DescribeRegionsResponse>`,
      );
    case 'DescribeKeyPairs': {
      const wanted = form['Filter.1.Value.1'];
      const found = (account.keyPairs ?? []).filter((name) => name === wanted);
      return xml(
        `<DescribeKeyPairsResponse><keySet>${list(
          found.map((name) => `<keyName>${name}</keyName>`),
          'item',
        )}</keySet></DescribeKeyPairsResponse>`,
      );
    }
    case 'DescribeVpcs':
      return xml(
        `<DescribeVpcsResponse><vpcSet>${list(
          Array.from({length: account.vpcs ?? 0}, (_, at) => `<vpcId>vpc-${at}</vpcId>`),
          'item',
        )}</vpcSet></DescribeVpcsResponse>`,
      );
    case 'DescribeAddresses':
      return xml(
        `<DescribeAddressesResponse><addressesSet>${list(
          Array.from({length: account.addresses ?? 0}, (_, at) => `<allocationId>a-${at}</allocationId>`),
          'item',
        )}</addressesSet></DescribeAddressesResponse>`,
      );
    case 'DescribeInstances': {
      const instances = (account.instances ?? []).map(
        (type) => `<instanceType>${type}</instanceType><cpuOptions><coreCount>2</coreCount><threadsPerCore>1</threadsPerCore></cpuOptions>`,
      );
      return xml(
        `<DescribeInstancesResponse><reservationSet><item><instancesSet>${list(instances, 'item')}</instancesSet></item></reservationSet></DescribeInstancesResponse>`,
      );
    }
    case 'GetServiceQuota':
      return {status: 200, type: 'application/x-amz-json-1.1', text: JSON.stringify({Quota: {Value: account.quotas?.[form['QuotaCode'] ?? ''] ?? 5}})};
    default:
      return xml('<Response><Errors><Error><Code>InvalidAction</Code><Message>the double does not know this</Message></Error></Errors></Response>', 400);
  }
}
