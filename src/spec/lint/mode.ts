// Rules about what a mode, and this version, can do.
import type {ClusterDocument} from '../schema.ts';
import {isSupported, minorOf, parseVersion, supportedMinors} from '../versions.ts';
import type {Report} from './report.ts';

export interface ModeRules {
  /** True in the sandbox only. */
  readonly allowSimulated: boolean;
}

/** Refuses what can't be had, at its line, with the reason. */
export function lintMode(cluster: ClusterDocument, report: Report, rules: ModeRules): void {
  const {spec} = cluster;
  const {mode} = spec;
  if (mode === 'appliance') {
    report.error({
      path: ['spec', 'mode'],
      rule: 'mode.unsupported',
      message: 'Appliance mode is not in this version.',
      hint: 'Use mode: agent, with hosts of your own.',
    });
  }
  if (spec.management === 'central') {
    report.error({
      path: ['spec', 'management'],
      rule: 'mode.management',
      message: 'management: central is not in this version: no management cluster can follow the hosts yet.',
      hint: 'Use management: local; each host then follows its own wanted state.',
    });
  }
  if (spec.trustedBoot === true && mode !== 'appliance') {
    report.error({
      path: ['spec', 'trustedBoot'],
      atKey: true,
      rule: 'mode.trusted-boot',
      message:
        mode === 'agent'
          ? "Agent mode can't do Trusted Boot: it needs an image that Trireme builds and signs, and in agent mode the operating system is yours."
          : "Controller mode can't do Trusted Boot: the machines boot the provider's image, or yours, as the infrastructure provider boots it.",
      hint: 'Remove the line, or use appliance mode.',
    });
  }
  for (const section of ['controller', 'appliance', 'agent'] as const) {
    if (section !== mode && spec[section] !== undefined) {
      report.error({
        path: ['spec', section],
        atKey: true,
        rule: 'mode.section',
        message: `spec.${section} belongs to ${section} mode, but spec.mode is ${mode}.`,
        hint: 'Remove it, or change spec.mode.',
      });
    }
  }
  if (mode === 'agent' && spec.agent === undefined) {
    report.error({
      path: ['spec'],
      atKey: true,
      rule: 'mode.section',
      message: 'spec.agent is missing: agent mode needs the hosts.',
      hint: 'Write spec.agent.hosts.',
    });
  }
  if (mode === 'controller' && spec.controller === undefined) {
    report.error({
      path: ['spec'],
      atKey: true,
      rule: 'mode.section',
      message: 'spec.controller is missing: controller mode needs a class (or a template) and pools.',
      hint: 'Write spec.controller.class.',
    });
  }
  if (mode === 'agent' && spec.endpoint.host === '') {
    report.error({
      path: ['spec'],
      atKey: true,
      rule: 'schema.required',
      message: 'spec.endpoint is missing: agent mode needs the name or address at which the Kubernetes API is reached.',
      hint: 'Write spec.endpoint: {host: ...}.',
    });
  }
  lintVersion(cluster, report, rules);
  lintSettings(cluster, report);
}

function lintSettings(cluster: ClusterDocument, report: Report): void {
  const {rollout, agent} = cluster.spec;
  const share = typeof rollout.maxUnavailable === 'string' ? Number.parseInt(rollout.maxUnavailable, 10) : undefined;
  if (share !== undefined && (share < 1 || share > 100))
    report.error({
      path: ['spec', 'rollout', 'maxUnavailable'],
      rule: 'rollout.share',
      message: `maxUnavailable is ${rollout.maxUnavailable}; a share is 1% to 100%.`,
      hint: 'With 0% nothing could ever be changed.',
    });
  for (const scheme of ['http', 'https'] as const) {
    const url = agent?.proxy?.[scheme];
    if (url !== undefined && !isProxyUrl(url))
      report.error({
        path: ['spec', 'agent', 'proxy', scheme],
        rule: 'proxy.url',
        message: `The proxy for ${scheme} is no URL.`,
        hint: 'Write it like http://proxy.example:3128.',
      });
  }
}

function isProxyUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:', 'socks5:'].includes(new URL(text).protocol) && !/\s/.test(text);
}

function lintVersion(cluster: ClusterDocument, report: Report, rules: ModeRules): void {
  const {distribution, version: text} = cluster.spec.kubernetes;
  if (distribution === 'simulated' && (cluster.spec.mode === 'controller' || !rules.allowSimulated)) {
    report.error({
      path: ['spec', 'kubernetes', 'distribution'],
      rule: 'mode.simulated',
      message:
        cluster.spec.mode === 'controller'
          ? "distribution: simulated is for the sandbox's hosts; in controller mode the class says how Kubernetes is set up."
          : 'distribution: simulated exists only in the sandbox; on these hosts nothing would run.',
      hint: cluster.spec.mode === 'controller' ? 'Remove the line.' : 'Use distribution: kubeadm, or try it with: trireme sandbox shell',
    });
  }
  // which versions there can be is the class's and its provider's business
  if (cluster.spec.mode === 'controller') return;
  const version = parseVersion(text);
  if (/[-+]/.test(text)) {
    report.error({
      path: ['spec', 'kubernetes', 'version'],
      rule: 'schema.format',
      message: `spec.kubernetes.version is ${text}: a version is written with a v and three numbers: v1.36.3.`,
    });
  } else if (version !== undefined && !isSupported(version)) {
    report.error({
      path: ['spec', 'kubernetes', 'version'],
      rule: 'version.unsupported',
      message: `Kubernetes ${minorOf(version)} can't be set up by this version of Trireme.`,
      hint: `It sets up ${supportedMinors.join(', ')}.`,
    });
  }
}
