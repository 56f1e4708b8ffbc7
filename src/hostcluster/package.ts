// The agent without a push: as a script that installs it, or as a tar that goes into an image of one's own. Both bring the very files that a push brings,
// to the same places, so that a host doesn't tell how it came to its agent.
import {createReadStream} from 'node:fs';
import {open, rename, rm, type FileHandle} from 'node:fs/promises';
import {dirname} from 'node:path';
import {TarWriter} from '../bundle/tar-write.ts';
import {syncFolder} from '../kernel/files.ts';
import type {Architecture, PushFile} from './facts.ts';
import {digestsText, installScript, rollbackScript, versionName, type InstallOptions} from './install.ts';
import {agentPaths, type Enrolment} from './protocol.ts';
import type {LocalBlob} from './scope.ts';
import {rootedPath} from './shell.ts';
import {renderLauncher, renderUnit} from './unit.ts';

export interface AgentPackage {
  readonly version: string;
  readonly architecture: Architecture;
  /** The folder of the agent's program, `spec.agent.root`. */
  readonly root: string;
  readonly program: PushFile;
  readonly runtime: PushFile;
  /** What the cluster needs on the host, where it is carried along. */
  readonly content: readonly LocalBlob[];
  /** What the host shall be; holds secrets. */
  readonly enrolment?: Enrolment;
}

export interface WrittenPackage {
  readonly out: string;
  /** Bytes. */
  readonly size: number;
  /** Of what the script carries, or of the tar. */
  readonly digest: string;
}

/** Bytes: the script's text, filled up; what it carries begins behind it. */
const head = 16_384;

const hexOf = (digest: string) => digest.replace('sha256:', '');

function installOf({root, program, runtime}: AgentPackage): InstallOptions {
  return {root, programDigest: program.digest, runtimeDigest: runtime.digest};
}

/** A shell script that carries everything, checks it, and installs; run again it changes nothing. 0700, and 0600's secrecy with an enrolment. */
export async function writeInstallScript(out: string, parts: AgentPackage): Promise<WrittenPackage> {
  return writeWhole(out, 0o700, async (file) => {
    const tar = new TarWriter(file, head);
    for (const one of [parts.program, parts.runtime])
      await tar.file({path: `blobs/${hexOf(one.digest)}`, size: one.size, digest: one.digest, content: createReadStream(one.path)});
    for (const blob of parts.content) await tar.file({path: `blobs/${hexOf(blob.digest)}`, size: blob.size, digest: blob.digest, content: blob.stream()});
    await tar.file(textFile('unit', renderUnit(installOf(parts))));
    if (parts.enrolment !== undefined) await tar.file(textFile('enrolment.json', `${JSON.stringify(parts.enrolment)}\n`, 0o600));
    const digest = await tar.end();
    const text = Buffer.from(scriptText(parts, digest));
    if (text.length > head) throw new Error(`the script's text has ${text.length} bytes`);
    await file.write(Buffer.concat([text, Buffer.alloc(head - text.length, '\n')]), 0, head, 0);
    return digest;
  });
}

function scriptText(parts: AgentPackage, digest: string): string {
  const {enrolment} = parts;
  const install = installOf(parts);
  const what =
    enrolment === undefined
      ? 'It belongs to no cluster yet.'
      : `Makes this host ${enrolment.wanted.node.name} of the cluster ${enrolment.wanted.cluster.name}. HOLDS SECRETS.`;
  return `#!/bin/sh
# Installs Trireme's agent ${parts.version} on a linux/${parts.architecture} host. ${what}
# Carries all that it needs behind its text, and checks it. Run it as root; run again it changes nothing.
set -eu
umask 022
die() { code=$1; shift; echo "$*" >&2; exit "$code"; }
[ -f "$0" ] || die 2 "Save this script to a file and run that: it carries what it installs."
[ -n "\${TRIREME_ROOT:-}" ] || [ "$(id -u)" = 0 ] || die 5 "This must be run as root."
case "$(uname -m)" in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
[ "$arch" = ${parts.architecture} ] || die 3 "This script is for ${parts.architecture} hosts, and this host is $arch."
[ -n "\${TRIREME_ROOT:-}" ] || [ -d /run/systemd/system ] || die 3 "This host doesn't run systemd, which the agent needs."
for tool in tail tar sha256sum mktemp readlink; do command -v $tool >/dev/null 2>&1 || die 3 "This host has no $tool."; done
carried() { tail -c +${head + 1} "$0"; }
found=$(carried | sha256sum)
[ "\${found%% *}" = ${hexOf(digest)} ] || die 1 "This script is damaged: it should carry ${hexOf(digest)}, and carries \${found%% *}. Nothing was changed. Copy it again."
state=${rootedPath(agentPaths.state)}
content=${rootedPath(agentPaths.content)}
root=${rootedPath(parts.root)}
mkdir -p "$content"
rm -rf "$state"/package.*
work=$(mktemp -d "$state/package.XXXXXX")
trap 'rm -rf "$work"' EXIT
carried | tar -xf - -C "$work" || die 1 "There's no room for what this script carries, below $state."
for blob in "$work"/blobs/*; do
  to="$content/\${blob##*/}"
  if [ ! -f "$to" ] || [ "$(sha256sum <"$to")" != "\${blob##*/}  -" ]; then
    sync "$blob" 2>/dev/null || sync
    mv -f "$blob" "$to"
  fi
done
sync "$content" 2>/dev/null || sync
install() (
${installScript(install)})
install <"$work/unit" || die $? "The agent can't be installed below $root."
agent="$root/current/trireme-agent"
tries=0
until said=$("$agent" answers 2>/dev/null); do
  tries=$((tries + 1))
  if [ $tries -ge 60 ]; then
    before=$( (${rollbackScript(parts.root)}) )
    die 1 "The agent was started and doesn't answer.\${before:+ The version before it was started again.} See: journalctl -u trireme-agent"
  fi
  sleep 1
done
echo "Trireme's agent: $said"
${
  enrolment === undefined
    ? ''
    : `"$agent" enrol "$work/enrolment.json"
`
}exit 0
`;
}

/** A tar to be laid over a root file system: the agent starts at the first boot. With an enrolment the host joins by itself. */
export async function writeImageTar(out: string, parts: AgentPackage): Promise<WrittenPackage> {
  return writeWhole(out, parts.enrolment === undefined ? 0o644 : 0o600, async (file) => {
    const tar = new TarWriter(file);
    const install = installOf(parts);
    const name = versionName(install);
    const root = parts.root.slice(1);
    const version = `${root}/versions/${name}`;
    await tar.file({
      path: `${version}/trireme-agent.mjs`,
      size: parts.program.size,
      digest: parts.program.digest,
      content: createReadStream(parts.program.path),
    });
    await tar.file({
      path: `${version}/node`,
      mode: 0o755,
      size: parts.runtime.size,
      digest: parts.runtime.digest,
      content: createReadStream(parts.runtime.path),
    });
    await tar.file(textFile(`${version}/trireme-agent`, renderLauncher(), 0o755));
    await tar.file(textFile(`${version}/digests.json`, `${digestsText(install)}\n`));
    await tar.link(`${root}/current`, `versions/${name}`);
    await tar.link(agentPaths.command.slice(1), `${parts.root}/current/trireme-agent`);
    const unit = agentPaths.unit.slice(1);
    await tar.file(textFile(unit, renderUnit(install)));
    await tar.link(`${dirname(unit)}/multi-user.target.wants/trireme-agent.service`, '../trireme-agent.service');
    for (const blob of parts.content)
      await tar.file({path: `${agentPaths.content.slice(1)}/${hexOf(blob.digest)}`, size: blob.size, digest: blob.digest, content: blob.stream()});
    if (parts.enrolment !== undefined) {
      await tar.folder(dirname(agentPaths.enrolment).slice(1), 0o700);
      await tar.file(textFile(agentPaths.enrolment.slice(1), `${JSON.stringify(parts.enrolment)}\n`, 0o600));
    }
    return tar.end();
  });
}

function textFile(path: string, text: string, mode = 0o644) {
  const content = Buffer.from(text);
  return {path, mode, size: content.length, content};
}

/** Written beside its name, and named when it is whole. */
async function writeWhole(out: string, mode: number, write: (file: FileHandle) => Promise<string>): Promise<WrittenPackage> {
  const part = `${out}.${process.pid}.part`;
  const file = await open(part, 'w', mode);
  try {
    const digest = await write(file);
    await file.chmod(mode);
    await file.sync();
    const {size} = await file.stat();
    await file.close();
    await rename(part, out);
    await syncFolder(dirname(out));
    return {out, size, digest};
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, {force: true});
    throw error;
  }
}
