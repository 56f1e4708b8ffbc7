// The agent's systemd unit and the small script that starts the agent: written by the push, read by nobody else.

export interface UnitOptions {
  /** The folder of the agent's program, `spec.agent.root`. */
  readonly root: string;
}

/** Paths below the agent's root. `current` is a link to the folder of one version, which holds all three files. */
export function programPaths(root: string): {readonly current: string; readonly launcher: string; readonly runtime: string; readonly program: string} {
  const current = `${root}/current`;
  return {current, launcher: `${current}/trireme-agent`, runtime: `${current}/node`, program: `${current}/trireme-agent.mjs`};
}

/**
 * V8's limits: the agent's live data is some 10 MiB; without them its heap grows lazily over its goal of 90 MiB.
 * A shell script, because a unit, a link on the PATH and `sudo trireme-agent dial` shall all start it in the same way.
 */
export function renderLauncher(): string {
  return `#!/bin/sh
# Written by Trireme: starts its agent with the runtime that came with it.
here=$(dirname -- "$(readlink -f -- "$0")")
root=\${here%/versions/*}
# A version on trial that doesn't stay up goes back to the one before it, without anybody's help. The agent ends the trial.
if [ "$1" = run ] && [ -r "$root/trial" ] && read -r name left <"$root/trial" && [ "$here" = "$root/$name" ]; then
  old=$(cat "$root/previous" 2>/dev/null)
  if [ "$left" -gt 0 ] || [ -z "$old" ] || [ ! -d "$root/$old" ]; then
    printf '%s %s\\n' "$name" "$((left - 1))" >"$root/trial.new" && { sync "$root/trial.new" 2>/dev/null; mv -f "$root/trial.new" "$root/trial"; sync "$root" 2>/dev/null; }
  else
    printf '%s %s\\n' "$name" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$root/fell-back"
    ln -sfn "$old" "$root/current.new" && mv -Tf "$root/current.new" "$root/current"
    rm -f "$root/trial"
    sync "$root" 2>/dev/null
    exec "$root/current/trireme-agent" "$@"
  fi
fi
# pieces of files, which are large, go back to the system instead of being kept between small ones
export MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=16384
exec "$here/node" --max-semi-space-size=1 --max-old-space-size=128 "$here/trireme-agent.mjs" "$@"
`;
}

/** The text of /etc/systemd/system/trireme-agent.service. */
export function renderUnit({root}: UnitOptions): string {
  return `# Written by Trireme
[Unit]
Description=Trireme agent: keeps this host as its cluster wants it
Wants=network-online.target
After=network-online.target local-fs.target
# never give up: the host has no other way to be repaired
StartLimitIntervalSec=0

[Service]
Type=notify
# the agent's notices come from systemd-notify, a child
NotifyAccess=all
ExecStart=${programPaths(root).launcher} run
Restart=always
RestartSec=2
WatchdogSec=120
TimeoutStartSec=60
TimeoutStopSec=30
RuntimeDirectory=trireme
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
LimitNOFILE=65536
Delegate=yes
# first only the agent, which ends its programs itself
KillMode=mixed
OOMScoreAdjust=-900
UMask=0022

[Install]
WantedBy=multi-user.target
`;
}
