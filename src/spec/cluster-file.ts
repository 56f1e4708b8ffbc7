// Writes a new trireme.yaml from answers, with comments that say what could be changed.
import {parse, stringify} from 'yaml';
import {type CompleteAnswers, type HostAnswer, hostAnswer} from './answers.ts';
import {type BaseSettings, linesOfBase} from './base-settings.ts';
import {profileOf} from './pod-network.ts';
import {apiVersion} from './schema.ts';
import {newestVersion} from './versions.ts';

/** A value as it stands after a key, on one line. */
function value(content: unknown): string {
  return stringify(content, {collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false}).trimEnd();
}

/** The file as text. It isn't checked here: the answers may still break a rule. */
export function renderClusterFile(answers: CompleteAnswers, base?: BaseSettings): string {
  const settings = linesOfBase(base);
  const endpoint = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(answers.endpoint);
  const profile = profileOf(answers, (text) => parse(text) as unknown);
  const host = (endpoint?.[1] ?? answers.endpoint).replaceAll(/^\[|\]$/g, '');
  const lines = [
    '# A Kubernetes cluster, for trireme. Every field is documented by: trireme explain spec',
    `apiVersion: ${apiVersion}`,
    'kind: Cluster',
    'metadata:',
    `  name: ${value(answers.name)}`,
    'spec:',
    `  mode: ${answers.mode ?? 'agent'}`,
    '  kubernetes:',
    `    distribution: ${value(answers.distribution ?? 'kubeadm')}`,
    `    version: ${value(answers.kubernetesVersion ?? newestVersion)}`,
    '  # Must not overlap each other or the networks of the hosts. Two of each, IPv4 and IPv6, make it dual-stack.',
    '  network:',
    `    pods: ${value(answers.pods ?? ['10.244.0.0/16'])}`,
    `    services: ${value(answers.services ?? ['10.96.0.0/12'])}`,
    '  # A load balancer or a DNS name in front of the control planes, or a free address that they serve themselves (type: vip);',
    '  # with a single one, its own address.',
    `  endpoint: ${value({host, port: Number(endpoint?.[2] ?? 6443), ...(answers.endpointType === 'vip' ? {type: 'vip'} : {})})}`,
    ...(profile === undefined
      ? ['  # The pod network and other layers; without a profile the nodes stay NotReady.', '  # profile: {file: profile.yaml, variables: {}}']
      : ['  # The pod network and other layers.', `  profile: ${value(profile)}`]),
    ...settings.spec,
    '  agent:',
    ...sshLines(answers),
    ...settings.agent,
    ...(answers.bundle === undefined
      ? ['    # Without a bundle, what the hosts need is fetched by this computer and cached.', '    # bundle: ./bundle']
      : [`    bundle: ${value(answers.bundle)}`]),
    '    hosts:',
    ...answers.controlPlane.map((one) => hostLine(hostAnswer(one), 'control-plane')),
    ...(answers.worker ?? []).map((one) => hostLine(hostAnswer(one), 'worker')),
  ];
  return `${lines.join('\n')}\n`;
}

function sshLines(answers: CompleteAnswers): string[] {
  const source =
    answers.sudoPasswordEnv !== undefined
      ? {fromEnv: answers.sudoPasswordEnv}
      : answers.sudoPasswordFile !== undefined
        ? {fromFile: answers.sudoPasswordFile}
        : undefined;
  const given: readonly (readonly [string, unknown])[] = [
    ['user', answers.sshUser],
    ['port', answers.sshPort],
    ['identityFile', answers.identityFile],
    ['configFile', answers.sshConfig],
    ['jump', answers.jump === undefined || answers.jump.length === 0 ? undefined : answers.jump],
    ['sudo', source === undefined ? undefined : {password: source}],
  ];
  const lines = given.flatMap(([key, content]) => (content === undefined ? [] : [`      ${key}: ${value(content)}`]));
  const note = '    # What is not said here comes from ~/.ssh/config and the SSH agent. Secrets are fromEnv or fromFile, never in this file.';
  return lines.length === 0 ? [note, '    # ssh: {user: ops, sudo: {password: {fromEnv: SUDO_PASSWORD}}}'] : [note, '    ssh:', ...lines];
}

function hostLine({name, address, nodeAddress, user, port}: HostAnswer, role: string): string {
  const ssh = {...(user === undefined ? {} : {user}), ...(port === undefined ? {} : {port})};
  return `      - ${value({name, address, ...(nodeAddress === undefined ? {} : {nodeAddress}), role, ...(Object.keys(ssh).length === 0 ? {} : {ssh})})}`;
}
