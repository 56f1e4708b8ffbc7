// Manifests of static pods, which the kubelet runs from a folder.
import {rename} from 'node:fs/promises';
import {dirname} from 'node:path';
import {syncFolder} from '../../../kernel/files.ts';
import type {HostSystem} from '../../host-system.ts';

export const manifestOf = (name: string) => `/etc/kubernetes/manifests/${name}.yaml`;

/** By a rename from outside: the kubelet takes every file in its folder for a manifest, temporary ones too. */
export async function placeManifest(host: HostSystem, name: string, text: string): Promise<void> {
  const part = `/etc/kubernetes/.trireme-${name}.yaml`;
  await host.write(part, text, '0600');
  const path = host.path(manifestOf(name));
  await rename(host.path(part), path);
  await syncFolder(dirname(path));
}
