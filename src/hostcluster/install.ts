// The agent onto a host: a new version beside the old, the link switched in one move, and back again when the new one doesn't answer.
import type {HostWork} from './assess.ts';
import {agentPaths} from './protocol.ts';
import {rootedPath, shellQuote} from './shell.ts';
import {renderLauncher} from './unit.ts';

export interface InstallOptions {
  /** The folder of the agent's program, `spec.agent.root`. */
  readonly root: string;
  readonly programDigest: string;
  readonly runtimeDigest: string;
}

const hexOf = (digest: string) => digest.replace('sha256:', '');

/** The digests of the files that the host shall run. */
export function installOptionsOf(work: Pick<HostWork, 'install' | 'member'>, root: string): InstallOptions {
  return {
    root,
    programDigest: work.install?.program.digest ?? work.member.programDigest ?? '',
    runtimeDigest: work.install?.runtime?.digest ?? work.member.runtimeDigest ?? '',
  };
}

/** The folder's name of a version: both digests, shortened. */
export function versionName(options: InstallOptions): string {
  return `${hexOf(options.programDigest).slice(0, 12)}-${hexOf(options.runtimeDigest).slice(0, 12)}`;
}

/** The content of `current/digests.json`. */
export function digestsText(options: InstallOptions): string {
  return JSON.stringify({program: options.programDigest, runtime: options.runtimeDigest});
}

/**
 * The script that installs, switches and starts. It changes nothing that is right already, and prints `started` when it (re)started the agent.
 * The unit's text comes on its standard input. Exit code 3: the runtime doesn't run on this host.
 */
export function installScript(options: InstallOptions): string {
  return `set -eu
root=${rootedPath(options.root)}
content=${rootedPath(agentPaths.content)}
unit=${rootedPath(agentPaths.unit)}
command=${rootedPath(agentPaths.command)}
${flushPiece}
name=${versionName(options)}
version="$root/versions/$name"
restart=no
if [ ! -f "$version/digests.json" ]; then
  rm -rf "$version.part"
  mkdir -p "$version.part"
  place() { ln "$1" "$version.part/$2" 2>/dev/null || cp -L "$1" "$version.part/$2"; }
  place "$content/${hexOf(options.programDigest)}" trireme-agent.mjs
  runtime="$content/${hexOf(options.runtimeDigest)}"
  # one that stays from the version before may have lost its blob
  [ -e "$runtime" ] || runtime="$root/current/node"
  place "$runtime" node
  [ -x "$version.part/node" ] || chmod 755 "$version.part/node"
  if ! said=$("$version.part/node" --version 2>&1); then echo "$said" >&2; exit 3; fi
  printf '%s' ${shellQuote(renderLauncher())} >"$version.part/trireme-agent"
  chmod 755 "$version.part/trireme-agent"
  # a blob has the label of /var/lib, which systemd may not run
  if command -v selinuxenabled >/dev/null 2>&1 && selinuxenabled; then chcon -t bin_t "$version.part/node" "$version.part/trireme-agent"; fi
  printf '%s\\n' ${shellQuote(digestsText(options))} >"$version.part/digests.json"
  rm -rf "$version"
  flush "$version.part"/* "$version.part"
  mv "$version.part" "$version"
  flush "$root/versions" "$root"
fi
if [ "$(readlink "$root/current" 2>/dev/null)" != "versions/$name" ]; then
  old=$(readlink "$root/current" 2>/dev/null || true)
  rm -f "$root/fell-back"
  # two starts, and the third goes back to the old one
  if [ -n "$old" ]; then
    printf '%s\\n' "$old" >"$root/previous.new"
    printf '%s 2\\n' "versions/$name" >"$root/trial.new"
    flush "$root/previous.new" "$root/trial.new"
    mv -f "$root/previous.new" "$root/previous"
    mv -f "$root/trial.new" "$root/trial"
  fi
  ln -sfn "versions/$name" "$root/current.new"
  mv -Tf "$root/current.new" "$root/current"
  flush "$root"
  restart=yes
fi
mkdir -p "\${command%/*}" 2>/dev/null && ln -sfn "$root/current/trireme-agent" "$command" 2>/dev/null || true
${startPiece}`;
}

/** A power cut must find no name without its content. An older sync takes no names, and flushes all. */
const flushPiece = 'flush() { sync "$@" 2>/dev/null || sync; }';

/** Writes the unit where it differs, and starts the version that `current` names where it doesn't run or isn't that one. */
const startPiece = `new="$unit.new"
mkdir -p "\${unit%/*}"
cat >"$new"
if [ "$(cat "$new")" = "$(cat "$unit" 2>/dev/null)" ]; then rm -f "$new"; else
  flush "$new"
  mv -f "$new" "$unit"
  flush "\${unit%/*}"
  systemctl daemon-reload
  restart=yes
fi
systemctl enable --quiet trireme-agent.service
# systemd doesn't flush the link that starts the agent at the next boot
for folder in "\${unit%/*}"/multi-user.target.wants "\${unit%/*}"; do if [ -d "$folder" ]; then flush "$folder"; fi; done
if [ "$restart" = yes ] || ! systemctl is-active --quiet trireme-agent.service; then
  systemctl reset-failed trireme-agent.service 2>/dev/null || true
  systemctl restart --no-block trireme-agent.service
  echo started
fi
`;

/** The script that goes back to the version before; prints its name, or nothing when there's none. */
export function rollbackScript(root: string): string {
  return `set -eu
root=${rootedPath(root)}
old=$(cat "$root/previous" 2>/dev/null || true)
[ -n "$old" ] && [ -d "$root/$old" ] || exit 0
${flushPiece}
ln -sfn "$old" "$root/current.new"
mv -Tf "$root/current.new" "$root/current"
rm -f "$root/trial"
flush "$root"
printf '%s\\n' "$old"
systemctl reset-failed trireme-agent.service 2>/dev/null || true
systemctl restart --no-block trireme-agent.service
`;
}

/** The last lines that the agent said, for a message. */
export const agentLogScript = 'journalctl -u trireme-agent.service -n 5 --no-pager -o cat 2>/dev/null || true';
