// The agent's service, as systemd sees it.

/** The text of trireme-agent.service for a program below `root`. */
export function agentUnit(root: string): string {
  return `# Written by Trireme; changes are lost.
[Unit]
Description=Trireme agent
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
NotifyAccess=all
ExecStart=${root}/current/trireme-agent run
WatchdogSec=120
Restart=always
RestartSec=3
# Programs that it starts, as kubeadm, end with it; containerd and kubelet are services of their own.
KillMode=mixed
TimeoutStopSec=30
RuntimeDirectory=trireme
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes
UMask=0022

[Install]
WantedBy=multi-user.target
`;
}
