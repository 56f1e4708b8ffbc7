// File systems: what is mounted how, how much is free, what can be written, and what others left behind.
import {shellWords} from './quote.ts';

/** Folders whose file systems matter. */
export const watchedFolders = [
  '/',
  '/usr',
  '/usr/local',
  '/etc',
  '/opt',
  '/var',
  '/var/lib',
  '/var/lib/containerd',
  '/var/lib/kubelet',
  '/var/lib/etcd',
  '/var/lib/trireme',
  '/var/log',
  '/run',
  '/tmp',
  '/var/tmp',
] as const;

/** Files and folders by which other runtimes and clusters show; a folder counts when something is in it. */
export const leftoverPaths = [
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/kubelet.conf',
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/etc/kubernetes/manifests',
  '/etc/kubernetes/pki',
  '/var/lib/etcd/member',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/pki',
  '/var/lib/kubelet/pods',
  '/etc/cni/net.d',
  '/var/lib/cni',
  '/var/lib/calico',
  '/run/flannel',
  '/var/run/cilium',
  '/var/lib/rancher/k3s',
  '/var/lib/rancher/rke2',
  '/etc/rancher',
  '/var/snap/microk8s',
  '/var/snap/k8s',
  '/var/lib/k0s',
  '/var/lib/docker',
  '/var/lib/containers/storage/overlay',
  '/run/docker.sock',
  '/run/containerd/containerd.sock',
  '/run/crio/crio.sock',
  '/run/k3s/containerd/containerd.sock',
  '/opt/spectrocloud',
  '/etc/NetworkManager/conf.d',
] as const;

/** The piece about storage; `folders` are those that must be writable beside the usual ones. */
export function storagePiece(folders: readonly string[]): string {
  return String.raw`
section mounts
show "$P/proc/self/mountinfo"
set --
for folder in FOLDERS; do if [ -d "$R$folder" ]; then set -- "$@" "$R$folder"; fi; done
section disk
df -P -k "$@"
section inodes
df -P -i "$@"
section modes
stat -c "%a$tab%n" "$R/tmp" "$R/var/tmp"
section writable
for folder in FOLDERS EXTRA; do
  near=$folder
  while [ ! -d "$R$near" ] && [ "$near" != / ] && [ -n "$near" ]; do near=$PARENT; done
  if [ -w "$R$near/" ]; then printf '%s\tyes\n' "$folder"; else printf '%s\tno\n' "$folder"; fi
done
section leftovers
for path in LEFTOVERS; do
  if [ -d "$R$path" ]; then
    for inner in "$R$path"/*; do if [ -e "$inner" ]; then printf '%s\n' "$path"; fi; break; done
  elif [ -e "$R$path" ]; then printf '%s\n' "$path"; fi
done
`
    .replace('$PARENT', '${near%/*}')
    .replaceAll('FOLDERS', shellWords(watchedFolders))
    .replace('EXTRA', shellWords(folders))
    .replace('LEFTOVERS', shellWords(leftoverPaths));
}
