// The kubelet renews its own certificate while it runs. One that was away for too long can't: it gets new credentials here. A control plane signs them itself,
// since its kubelet has to start before there is an API to ask; a worker asks again with the bootstrap token, as when it joined.
import {rename, rm, symlink} from 'node:fs/promises';
import {TriremeError} from '../../../kernel/errors.ts';
import {syncFolder} from '../../../kernel/files.ts';
import {waitFor} from '../../../kernel/retry.ts';
import type {AgentStepContext, Target} from '../../reconciler.ts';
import {isDue} from '../renewal.ts';
import {kubeletKubeconfig} from './access.ts';
import {clientOf, kubeletClientPem, kubeletPki, readCertificates} from './certificate-files.ts';
import {runKubeadm} from './kubeadm-run.ts';
import {renderInit} from './render-kubeadm.ts';
import {renderBootstrap} from './render-bootstrap.ts';
import {traitsOf} from './traits.ts';

const bootstrapFile = '/etc/kubernetes/bootstrap-kubelet.conf';
const folder = '/run/trireme/kubelet-credentials';
/** In ms: an API that comes back at the same time needs its while. */
const patience = 5 * 60_000;

/** True when the kubelet's own certificate has ended, or is about to. */
export async function needsCredentials(target: Target): Promise<boolean> {
  const own = (await readCertificates(target)).find((one) => one.name === 'kubelet');
  return own !== undefined && isDue(own);
}

export async function renewKubelet(context: AgentStepContext): Promise<void> {
  await (context.scope.wanted.role === 'control-plane' ? signOwn(context) : askAgain(context));
}

async function signOwn(context: AgentStepContext): Promise<void> {
  const {host, wanted} = context.scope;
  await host.remove(folder);
  try {
    await runKubeadm(context, {
      args: ['init', 'phase', 'kubeconfig', 'kubelet', `--kubeconfig-dir=${folder}`],
      config: renderInit({wanted, traits: await traitsOf(host)}),
      purpose: "sign the kubelet's certificate",
      step: 'certificates:renew',
    });
    const client = clientOf((await host.read(`${folder}/kubelet.conf`)) ?? '');
    if (client === undefined) throw new TriremeError('agent.failed', `kubeadm wrote no credentials for the kubelet on ${host.name}.`, {host: host.name});
    // as the kubelet itself keeps it: a file by its time, and a link that names the current one
    const path = `${kubeletPki}/kubelet-client-${new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '-')}.pem`;
    await host.write(path, `${client.certificate.trim()}\n${client.key.trim()}\n`, '0600');
    await rm(host.path(`${kubeletClientPem}.part`), {force: true});
    await symlink(path, host.path(`${kubeletClientPem}.part`));
    await rename(host.path(`${kubeletClientPem}.part`), host.path(kubeletClientPem));
    await syncFolder(host.path(kubeletPki));
  } finally {
    await host.remove(folder);
  }
  await host.services.restart('kubelet.service');
}

async function askAgain({scope, signal}: AgentStepContext): Promise<void> {
  const {host, wanted, secrets} = scope;
  if (secrets === null) throw new TriremeError('agent.failed', `${host.name} has no secrets of its cluster.`, {host: host.name});
  const before = (await readCertificates(scope)).find((one) => one.name === 'kubelet')?.fingerprint;
  await host.write(bootstrapFile, renderBootstrap(wanted, secrets), '0600');
  // with a kubeconfig whose certificate holds, the kubelet would never look at the bootstrap file
  await host.remove(kubeletKubeconfig);
  await host.services.restart('kubelet.service');
  const isNew = async () => {
    const now = (await readCertificates(scope)).find((one) => one.name === 'kubelet')?.fingerprint;
    return now !== undefined && now !== before && (await host.exists(kubeletKubeconfig)) ? true : undefined;
  };
  if ((await waitFor(isNew, {timeout: patience, interval: 500, signal})) === undefined)
    throw new TriremeError('agent.failed', `The kubelet on ${host.name} hasn't got a new certificate within five minutes.`, {
      host: host.name,
      hints: ['On the host: journalctl -u kubelet -n 50', 'kubectl get certificatesigningrequests'],
    });
  await host.remove(bootstrapFile);
}
