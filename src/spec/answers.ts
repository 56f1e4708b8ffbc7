// The answers from which a new file is written: from flags, from a file, later from prompts.
import {z} from 'zod';
import {TriremeError} from '../kernel/errors.ts';
import {complaintsOf} from './check-schema.ts';
import {refuseFiles} from './complaint.ts';
import type {FieldSchema} from './json-schema.ts';
import {readSource} from './source.ts';
import {newestVersion} from './versions.ts';
import {parseYaml} from './yaml-text.ts';

const host = z.union([
  z.string().regex(/^[^=\s]+=[^=\s]+$/, 'a host is written NAME=[USER@]ADDRESS[:PORT][/NODE-ADDRESS]'),
  z.strictObject({
    name: z.string().describe('Name of the host and its node.'),
    address: z.string().describe('Where SSH reaches it.'),
    nodeAddress: z.string().optional().describe("The node's own address, when it differs."),
    user: z.string().optional().describe('Login name on this host.'),
    port: z.number().optional().describe("Port of this host's SSH server."),
  }),
]);

/** Every answer has a flag: the same words, in dashes. */
export const answersSchema = z.strictObject({
  name: z.string().optional().describe('Name of the cluster.'),
  mode: z.enum(['controller', 'agent', 'appliance']).optional().describe('How the machines come into being; default agent.'),
  distribution: z.string().optional().describe('How Kubernetes is set up; default kubeadm.'),
  kubernetesVersion: z.string().optional().describe(`Version of Kubernetes; default ${newestVersion}.`),
  controlPlane: z.array(host).optional().describe('The control planes, as NAME=[USER@]ADDRESS[:PORT][/NODE-ADDRESS].'),
  worker: z.array(host).optional().describe('The workers, written like the control planes.'),
  endpoint: z.string().optional().describe('Where the Kubernetes API is reached, as HOST or HOST:PORT; default: the only control plane.'),
  endpointType: z
    .enum(['external', 'vip'])
    .optional()
    .describe('Who serves the endpoint: a load balancer or a name (external), or the control planes themselves (vip); default external.'),
  pods: z.array(z.string()).optional().describe('Networks of the pods.'),
  services: z.array(z.string()).optional().describe('Networks of the services.'),
  sshUser: z.string().optional().describe('Login name on the hosts.'),
  sshPort: z.number().optional().describe('Port of the SSH server.'),
  identityFile: z.string().optional().describe('Private key for SSH.'),
  jump: z.array(z.string()).optional().describe('Jump hosts in order.'),
  sshConfig: z.string().optional().describe('ssh_config file instead of ~/.ssh/config.'),
  sudoPasswordEnv: z.string().optional().describe("Environment variable with sudo's password."),
  sudoPasswordFile: z.string().optional().describe("File with sudo's password."),
  profile: z.string().optional().describe('File of the ClusterProfile.'),
  profileVariable: z.array(z.string()).optional().describe("Values of the profile's variables, as NAME=VALUE, NAME=env:VARIABLE or NAME=file:PATH."),
  cni: z.enum(['flannel', 'none']).optional().describe('A pod network to write a profile for, where none is named; default none.'),
  bundle: z.string().optional().describe('Bundle with the content for the hosts.'),
  base: z.string().optional().describe('File with settings that all clusters of the place have; the new file begins with them.'),
  class: z.string().optional().describe('Controller mode: name of the ClusterClass.'),
  template: z.string().optional().describe("Controller mode: file of a provider's cluster template, where there is no class."),
  kubeconfig: z.string().optional().describe('Controller mode: kubeconfig of the management cluster.'),
  context: z.string().optional().describe('Controller mode: context of the management cluster.'),
  namespace: z.string().optional().describe("Controller mode: namespace of the cluster's objects."),
  controlPlanes: z.number().optional().describe('Controller mode: how many control planes; default 1.'),
  pool: z.array(z.string()).optional().describe('Controller mode: the pools, as NAME=CLASS:REPLICAS or NAME=CLASS:MIN-MAX.'),
  variable: z.array(z.string()).optional().describe('Controller mode: variables of the class or template, as NAME=VALUE.'),
});

export type Answers = z.infer<typeof answersSchema>;
export interface HostAnswer {
  readonly name: string;
  readonly address: string;
  readonly nodeAddress?: string | undefined;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
}

/** Reads a file of answers; throws like the reader of trireme.yaml. */
export async function readAnswers(file: string, path: string): Promise<Answers> {
  const read = await readSource(file, path);
  if ('complaint' in read) throw refuseFiles([read.complaint]);
  const {documents, complaints} = parseYaml(read.source);
  const [document] = documents;
  if (complaints.length > 0 || document === undefined)
    throw refuseFiles(
      complaints.length > 0 ? complaints : [read.source.complain({offset: 0, length: 1}, {rule: 'document.empty', message: `${file} is empty.`})],
    );
  const result = answersSchema.safeParse(document.value);
  if (!result.success)
    throw refuseFiles(complaintsOf(document, z.toJSONSchema(answersSchema, {io: 'input', target: 'draft-7'}) as FieldSchema, result.error.issues));
  return result.data;
}

/** `h1=10.0.0.1`, `h1=ops@gate.example:2222/10.0.0.1`, or the written-out form. An IPv6 address before a port is in brackets. */
export function hostAnswer(answer: NonNullable<Answers['controlPlane']>[number]): HostAnswer {
  if (typeof answer !== 'string') return answer;
  const split = answer.indexOf('=');
  const place = split < 1 ? undefined : placeAnswer(answer.slice(split + 1));
  if (place === undefined)
    throw new TriremeError('usage.invalid', `${answer} is no host.`, {
      hints: ['Write NAME=ADDRESS, such as h1=10.0.0.11; in full NAME=[USER@]ADDRESS[:PORT][/NODE-ADDRESS].'],
    });
  return {name: answer.slice(0, split), ...place};
}

/** `[USER@]ADDRESS[:PORT][/NODE-ADDRESS]`; undefined for anything else. */
export function placeAnswer(text: string): Omit<HostAnswer, 'name'> | undefined {
  const match =
    /^(?:([^\s@/=]+)@)?(?:\[([^\]\s]+)\](?::(\d{1,5}))?|([^\s@/=:[\]]+)(?::(\d{1,5}))?|([^\s@/=[\]]*:[^\s@/=[\]]*:[^\s@/=[\]]*))(?:\/([^\s@/=]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, user, bracketed, bracketedPort, plain, plainPort, bare, nodeAddress] = match;
  const port = bracketedPort ?? plainPort;
  return {
    address: bracketed ?? plain ?? bare ?? '',
    ...(nodeAddress === undefined ? {} : {nodeAddress}),
    ...(user === undefined ? {} : {user}),
    ...(port === undefined ? {} : {port: Number(port)}),
  };
}

/** The host as a flag has it: what `hostAnswer` reads. */
export function hostText({name, address, nodeAddress, user, port}: HostAnswer): string {
  const place = port !== undefined && address.includes(':') ? `[${address}]` : address;
  return `${name}=${user === undefined ? '' : `${user}@`}${place}${port === undefined ? '' : `:${port}`}${nodeAddress === undefined ? '' : `/${nodeAddress}`}`;
}

/** `NAME=VALUE`, or a secret's source: `NAME=env:VARIABLE`, `NAME=file:PATH`. The value is read as YAML. */
export function profileVariableAnswer(answer: string, parse: (text: string) => unknown): readonly [string, unknown] {
  const split = answer.indexOf('=');
  if (split < 1)
    throw new TriremeError('usage.invalid', `${answer} is no variable.`, {hints: ['Write NAME=VALUE; a secret is NAME=env:VARIABLE or NAME=file:PATH.']});
  const value = answer.slice(split + 1);
  const source = /^(env|file):(.+)$/.exec(value);
  return [answer.slice(0, split), source === null ? parse(value) : source[1] === 'env' ? {fromEnv: source[2]} : {fromFile: source[2]}];
}

export interface CompleteAnswers extends Answers {
  readonly name: string;
  readonly controlPlane: NonNullable<Answers['controlPlane']>;
  readonly endpoint: string;
}

/** Fills in what follows from other answers; throws `usage.answer-required`, naming every missing one with its flag. */
export function requireAnswers(answers: Answers): CompleteAnswers {
  const {name, controlPlane = []} = answers;
  const only = controlPlane.length === 1 && controlPlane[0] !== undefined ? hostAnswer(controlPlane[0]) : undefined;
  const endpoint = answers.endpoint ?? (only === undefined ? undefined : (only.nodeAddress ?? only.address));
  const missing = [
    ...(name === undefined ? [{flag: '--name NAME', question: 'What is the cluster called?'}] : []),
    ...(controlPlane.length === 0 ? [{flag: '--control-plane NAME=ADDRESS', question: 'Which hosts are control planes? (one or three)'}] : []),
    ...(endpoint === undefined ? [{flag: '--endpoint HOST[:PORT]', question: 'Where is the Kubernetes API reached?'}] : []),
  ];
  if (name === undefined || endpoint === undefined || missing.length > 0) {
    throw new TriremeError(
      'usage.answer-required',
      `${missing.length === 1 ? 'An answer is' : `${missing.length} answers are`} missing: ${missing.map(({flag}) => flag.split(' ')[0]).join(', ')}.`,
      {
        hints: [...missing.map(({flag, question}) => `${flag}  ${question}`), '--from FILE  answers in YAML, each named as its flag'],
        details: {missing},
      },
    );
  }
  return {...answers, name, controlPlane, endpoint};
}
