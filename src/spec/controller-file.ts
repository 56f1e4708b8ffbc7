// Writes a new trireme.yaml for controller mode, from answers or from a cluster that is there, with comments that say what could be changed.
import {stringify} from 'yaml';
import {TriremeError} from '../kernel/errors.ts';
import type {Answers} from './answers.ts';
import {profileOf} from './pod-network.ts';
import {apiVersion} from './schema.ts';
import {newestVersion} from './versions.ts';

export interface ControllerFile {
  readonly name: string;
  readonly version: string;
  readonly network?: {readonly pods?: readonly string[]; readonly services?: readonly string[]; readonly dnsDomain?: string};
  /** As `spec.profile` has it. */
  readonly profile?: Readonly<Record<string, unknown>>;
  /** As `spec.controller` has it. */
  readonly controller: Readonly<Record<string, unknown>>;
  /** Comment lines above the document. */
  readonly notes?: readonly string[];
}

/** A value as it stands after a key, on one line: YAML, and JSON where that would take several. */
function value(content: unknown): string {
  const text = stringify(content, {collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false}).trimEnd();
  return text.includes('\n') ? JSON.stringify(content) : text;
}

/** Each line of a block of YAML, indented. */
function block(content: unknown, indent: number): readonly string[] {
  return stringify(content, {lineWidth: 0})
    .trimEnd()
    .split('\n')
    .map((line) => `${' '.repeat(indent)}${line}`);
}

/** The file as text. It isn't checked here. */
export function renderControllerFile(file: ControllerFile): string {
  const {controller, network} = file;
  const {controlPlane, pools = [], variables, class: className, template, ...place} = controller;
  const lines = [
    '# A Kubernetes cluster that Cluster API makes, for trireme. Every field is documented by: trireme explain spec.controller',
    ...(file.notes ?? []).map((note) => `# ${note.replaceAll(/[\r\n]+/g, ' ')}`),
    `apiVersion: ${apiVersion}`,
    'kind: Cluster',
    'metadata:',
    `  name: ${value(file.name)}`,
    'spec:',
    '  mode: controller',
    '  kubernetes:',
    `    version: ${value(file.version)}`,
    ...(network === undefined || Object.keys(network).length === 0
      ? []
      : ['  network:', ...Object.entries(network).map(([key, content]) => `    ${key}: ${value(content)}`)]),
    ...(file.profile === undefined
      ? ['  # The pod network and other layers, where the class does not bring them.', '  # profile: {file: profile.yaml, variables: {}}']
      : ['  # The pod network and other layers.', `  profile: ${value(file.profile)}`]),
    '  controller:',
    ...(Object.keys(place).length === 0
      ? ['    # The management cluster: what kubectl uses here. Another one: kubeconfig, context, namespace.', '    # context: management']
      : Object.entries(place).map(([key, content]) => `    ${key}: ${value(content)}`)),
    ...(className === undefined ? [] : [`    class: ${value(className)}`]),
    ...(template === undefined ? [] : [`    template: ${value(template)}`]),
    ...(variables === undefined || Object.keys(variables as object).length === 0
      ? className === undefined
        ? []
        : ["    # Values of the class's variables; trireme plan says which there are, and what they must be.", '    # variables: {}']
      : ['    variables:', ...block(variables, 6)]),
    ...(controlPlane === undefined ? [] : [`    controlPlane: ${value(controlPlane)}`]),
    ...((pools as readonly unknown[]).length === 0
      ? ['    # - {name: workers, class: default-worker, replicas: 3}', '    pools: []']
      : ['    pools:', ...(pools as readonly unknown[]).map((pool) => `      - ${value(pool)}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

/** `NAME=CLASS:REPLICAS`, `NAME=CLASS` or `NAME=CLASS:MIN-MAX`. */
export function poolAnswer(answer: string): Readonly<Record<string, unknown>> {
  const match = /^([^=:\s]+)=([^=:\s]+)(?::(\d+)(?:-(\d+))?)?$/.exec(answer);
  if (match === null)
    throw new TriremeError('usage.invalid', `${answer} is no pool.`, {
      hints: ['Write NAME=CLASS:REPLICAS, such as workers=default-worker:3, or NAME=CLASS:MIN-MAX for the autoscaler.'],
    });
  const [, name, className, replicas, max] = match;
  const size = max === undefined ? {replicas: Number(replicas ?? 1)} : {autoscale: {min: Number(replicas), max: Number(max)}};
  return {name, class: className, ...size};
}

/** `NAME=VALUE`; the value is read as YAML: 3 is a number, `[a, b]` a list, anything else text. */
export function variableAnswer(answer: string, parse: (text: string) => unknown): readonly [string, unknown] {
  const split = answer.indexOf('=');
  if (split < 1) throw new TriremeError('usage.invalid', `${answer} is no variable.`, {hints: ['Write NAME=VALUE, such as region=eu-central-1.']});
  return [answer.slice(0, split), parse(answer.slice(split + 1))];
}

/** The file that answers make. Throws `usage.answer-required` naming every missing answer with its flag, `usage.invalid`. */
export function controllerFileOf(answers: Answers, parse: (text: string) => unknown): ControllerFile {
  const {name, class: className, template} = answers;
  const missing = [
    ...(name === undefined ? [{flag: '--name NAME', question: 'What is the cluster called?'}] : []),
    ...(className === undefined && template === undefined ? [{flag: '--class NAME', question: 'Of which ClusterClass is it? (or --template FILE)'}] : []),
  ];
  if (name === undefined || missing.length > 0)
    throw new TriremeError(
      'usage.answer-required',
      `${missing.length === 1 ? 'An answer is' : `${missing.length} answers are`} missing: ${missing.map(({flag}) => flag.split(' ')[0]).join(', ')}.`,
      {hints: [...missing.map(({flag, question}) => `${flag}  ${question}`), '--from FILE  answers in YAML, each named as its flag'], details: {missing}},
    );
  const foreign = (['worker', 'endpoint', 'endpointType', 'sshUser', 'identityFile', 'jump', 'bundle', 'distribution'] as const).filter(
    (key) => answers[key] !== undefined,
  );
  if (foreign.length > 0 || (answers.controlPlane ?? []).length > 0)
    throw new TriremeError('usage.invalid', 'Hosts and SSH are for agent mode; in controller mode Cluster API makes the machines.', {
      hints: ['Say the machines with --control-planes NUMBER and --pool NAME=CLASS:REPLICAS.'],
    });
  const profile = profileOf(answers, parse);
  const variables = Object.fromEntries((answers.variable ?? []).map((one) => variableAnswer(one, parse)));
  return {
    name,
    version: answers.kubernetesVersion ?? newestVersion,
    ...networkOf(answers),
    ...(profile === undefined ? {} : {profile}),
    controller: {
      ...(answers.kubeconfig === undefined ? {} : {kubeconfig: answers.kubeconfig}),
      ...(answers.context === undefined ? {} : {context: answers.context}),
      ...(answers.namespace === undefined ? {} : {namespace: answers.namespace}),
      ...(className === undefined ? {} : {class: className}),
      ...(template === undefined ? {} : {template: {file: template, ...(Object.keys(variables).length === 0 ? {} : {variables})}}),
      ...(template !== undefined || Object.keys(variables).length === 0 ? {} : {variables}),
      controlPlane: {replicas: answers.controlPlanes ?? 1},
      pools: (answers.pool ?? []).map(poolAnswer),
    },
  };
}

function networkOf({pods, services}: Answers): Pick<ControllerFile, 'network'> {
  if (pods === undefined && services === undefined) return {};
  return {network: {...(pods === undefined ? {} : {pods}), ...(services === undefined ? {} : {services})}};
}
