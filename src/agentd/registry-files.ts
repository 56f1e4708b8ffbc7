// containerd's files about registries: a folder for each below certs.d, with hosts.toml and the certificates of mirrors.
import {readdir} from 'node:fs/promises';
import type {WantedRegistry} from '../hostcluster/protocol.ts';
import {absentStep, fileStep} from './file-step.ts';
import {isMissing, type HostSystem} from './host-system.ts';
import type {AgentStep, Target} from './reconciler.ts';

export const registryFolder = '/etc/containerd/certs.d';
const header = "# Written by Trireme; change agent.registries in the cluster's file instead.\n";

/** What a registry's folder holds, by name of the file. */
export function registryFiles({name, mirrors, fallback}: WantedRegistry): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  const upstream = name === '_default' ? undefined : `https://${name === 'docker.io' ? 'registry-1.docker.io' : name}`;
  // without a server containerd asks the registry itself in the end
  const server = (fallback ? upstream : mirrors[0]?.url) ?? '';
  let text = `${header}${server === '' ? '' : `server = ${JSON.stringify(server)}\n`}`;
  for (const [index, {url, capabilities, authority}] of mirrors.entries()) {
    text += `\n[host.${JSON.stringify(url)}]\n  capabilities = [${capabilities.map((one) => JSON.stringify(one)).join(', ')}]\n`;
    // as it is written: containerd would put its own /v2 behind a path that has one
    if (/\/v2(\/|$)/.test(new URL(url).pathname)) text += '  override_path = true\n';
    if (authority === undefined) continue;
    const file = `trireme-${index}.crt`;
    files[file] = authority;
    text += `  ca = ${JSON.stringify(`${registryFolder}/${name}/${file}`)}\n`;
  }
  return {...files, 'hosts.toml': text};
}

/** Writes what is wanted, certificates before what names them, and removes the folders' files that were ours and aren't wanted any more. */
export async function registrySteps({host, wanted}: Target): Promise<readonly AgentStep[]> {
  const registries = wanted.registries ?? [];
  const steps = registries.flatMap((registry) =>
    Object.entries(registryFiles(registry)).map(([file, content]) => fileStep({path: `${registryFolder}/${registry.name}/${file}`, content})),
  );
  for (const name of await foldersOf(host)) {
    if (registries.some((registry) => registry.name === name)) continue;
    const path = `${registryFolder}/${name}/hosts.toml`;
    if ((await host.read(path))?.startsWith(header) !== true) continue;
    steps.push(absentStep(path));
  }
  return steps;
}

async function foldersOf(host: HostSystem): Promise<readonly string[]> {
  try {
    return await readdir(host.path(registryFolder));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
