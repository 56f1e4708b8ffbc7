// The answers from which a file is written, as flags: each is named as its answer, in dashes.
import {Flags} from '@oclif/core';

const list = {multiple: true, multipleNonGreedy: true} as const;

export const answerFlags = {
  name: Flags.string({summary: 'Name of the cluster.', env: 'TRIREME_NAME'}),
  mode: Flags.option({summary: 'How the machines come into being.', env: 'TRIREME_MODE', options: ['controller', 'agent', 'appliance'] as const})(),
  distribution: Flags.string({summary: 'How Kubernetes is set up on hosts.', env: 'TRIREME_DISTRIBUTION', helpValue: 'NAME'}),
  'kubernetes-version': Flags.string({summary: 'Version of Kubernetes.', env: 'TRIREME_KUBERNETES_VERSION', helpValue: 'VERSION'}),
  'control-plane': Flags.string({
    ...list,
    summary: 'A control plane; repeatable.',
    env: 'TRIREME_CONTROL_PLANE',
    helpValue: 'NAME=[USER@]ADDRESS[:PORT][/NODE-ADDRESS]',
  }),
  worker: Flags.string({...list, summary: 'A worker; repeatable.', env: 'TRIREME_WORKER', helpValue: 'NAME=[USER@]ADDRESS[:PORT][/NODE-ADDRESS]'}),
  endpoint: Flags.string({
    summary: 'Where the Kubernetes API is reached; default: the only control plane.',
    env: 'TRIREME_ENDPOINT',
    helpValue: 'HOST[:PORT]',
  }),
  'endpoint-type': Flags.option({
    summary: 'Who serves the endpoint: a load balancer or a name, or the control planes themselves (vip).',
    env: 'TRIREME_ENDPOINT_TYPE',
    options: ['external', 'vip'] as const,
  })(),
  pods: Flags.string({...list, summary: 'Network of the pods; a second one for dual-stack.', env: 'TRIREME_PODS', helpValue: 'CIDR'}),
  services: Flags.string({...list, summary: 'Network of the services; a second one for dual-stack.', env: 'TRIREME_SERVICES', helpValue: 'CIDR'}),
  'ssh-user': Flags.string({summary: 'Login name on the hosts.', env: 'TRIREME_SSH_USER', helpValue: 'USER'}),
  'ssh-port': Flags.integer({summary: 'Port of the SSH server.', env: 'TRIREME_SSH_PORT', min: 1, max: 65_535, helpValue: 'PORT'}),
  'identity-file': Flags.string({summary: 'Private key for SSH.', env: 'TRIREME_IDENTITY_FILE', helpValue: 'FILE'}),
  'ssh-config': Flags.string({summary: 'ssh_config file instead of ~/.ssh/config.', env: 'TRIREME_SSH_CONFIG', helpValue: 'FILE'}),
  jump: Flags.string({...list, summary: 'Jump host; repeatable, in order.', env: 'TRIREME_JUMP', helpValue: '[USER@]HOST[:PORT]'}),
  'sudo-password-env': Flags.string({
    summary: "Environment variable with sudo's password.",
    env: 'TRIREME_SUDO_PASSWORD_ENV',
    helpValue: 'NAME',
    exclusive: ['sudo-password-file'],
  }),
  'sudo-password-file': Flags.string({summary: "File with sudo's password.", env: 'TRIREME_SUDO_PASSWORD_FILE', helpValue: 'FILE'}),
  profile: Flags.string({summary: 'File of the ClusterProfile.', env: 'TRIREME_PROFILE', helpValue: 'FILE'}),
  'profile-variable': Flags.string({
    ...list,
    summary: "A variable of the profile; repeatable. A secret's source is env:VARIABLE or file:PATH.",
    env: 'TRIREME_PROFILE_VARIABLE',
    helpValue: 'NAME=VALUE',
  }),
  cni: Flags.option({
    summary: 'Pod network to write a profile for, beside the file, where none is named.',
    env: 'TRIREME_CNI',
    options: ['flannel', 'none'] as const,
  })(),
  bundle: Flags.string({summary: 'Bundle with the content for the hosts.', env: 'TRIREME_BUNDLE', helpValue: 'PATH'}),
  base: Flags.string({
    summary: 'File with settings that all clusters of the place have: sources, proxy, mirrors, components. The new file begins with them.',
    env: 'TRIREME_BASE',
    helpValue: 'FILE',
  }),
  class: Flags.string({summary: 'Controller mode: name of the ClusterClass.', env: 'TRIREME_CLASS', helpValue: 'NAME'}),
  template: Flags.string({
    summary: "Controller mode: file of a provider's cluster template.",
    env: 'TRIREME_TEMPLATE',
    helpValue: 'FILE',
    exclusive: ['class'],
  }),
  'control-planes': Flags.integer({summary: 'Controller mode: how many control planes.', env: 'TRIREME_CONTROL_PLANES', min: 0, helpValue: 'NUMBER'}),
  pool: Flags.string({...list, summary: 'Controller mode: a pool of workers; repeatable.', env: 'TRIREME_POOL', helpValue: 'NAME=CLASS:REPLICAS'}),
  variable: Flags.string({
    ...list,
    summary: 'Controller mode: a variable of the class or template; repeatable.',
    env: 'TRIREME_VARIABLE',
    helpValue: 'NAME=VALUE',
  }),
};
