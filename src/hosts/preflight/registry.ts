// All checks, in the order in which reports show them.
import {agentCompatible} from './checks/agent-compatible.ts';
import {apparmor} from './checks/apparmor.ts';
import {architecture} from './checks/architecture.ts';
import {cgroupControllers} from './checks/cgroup-controllers.ts';
import {cgroupV2} from './checks/cgroup-v2.ts';
import {clockSkew} from './checks/clock-skew.ts';
import {clusterForeign} from './checks/cluster-foreign.ts';
import {cniLeftovers} from './checks/cni-leftovers.ts';
import {containerHost} from './checks/container-host.ts';
import {cpus} from './checks/cpus.ts';
import {defaultRoute} from './checks/default-route.ts';
import {diskPressure} from './checks/disk-pressure.ts';
import {diskSpace} from './checks/disk-space.ts';
import {dns} from './checks/dns.ts';
import {dnsLoop} from './checks/dns-loop.ts';
import {endpointFree} from './checks/endpoint-free.ts';
import {endpointNetwork} from './checks/endpoint-network.ts';
import {endpointReachable} from './checks/endpoint-reachable.ts';
import {endpointResolves} from './checks/endpoint-resolves.ts';
import {firewall} from './checks/firewall.ts';
import {hostname} from './checks/hostname.ts';
import {hostnameResolves} from './checks/hostname-resolves.ts';
import {hostnameUnique} from './checks/hostname-unique.ts';
import {inodes} from './checks/inodes.ts';
import {ipv6} from './checks/ipv6.ts';
import {kernelKnownBad} from './checks/kernel-known-bad.ts';
import {kernelLimits} from './checks/kernel-limits.ts';
import {kernelVersion} from './checks/kernel-version.ts';
import {kubernetesLeftovers} from './checks/kubernetes-leftovers.ts';
import {macUnique} from './checks/mac-unique.ts';
import {machineId} from './checks/machine-id.ts';
import {machineIdUnique} from './checks/machine-id-unique.ts';
import {memory} from './checks/memory.ts';
import {modules} from './checks/modules.ts';
import {modulesLocked} from './checks/modules-locked.ts';
import {mountPropagation} from './checks/mount-propagation.ts';
import {mtuAgreement} from './checks/mtu-agreement.ts';
import {mtuPath} from './checks/mtu-path.ts';
import {networkDriver} from './checks/network-driver.ts';
import {networkd} from './checks/networkd.ts';
import {networkManager} from './checks/network-manager.ts';
import {networkOverlap} from './checks/network-overlap.ts';
import {nodeAddress} from './checks/node-address.ts';
import {noexec} from './checks/noexec.ts';
import {operatingSystem} from './checks/operating-system.ts';
import {otherClusters} from './checks/other-clusters.ts';
import {otherRuntimes} from './checks/other-runtimes.ts';
import {ports} from './checks/ports.ts';
import {proxy} from './checks/proxy.ts';
import {quorum} from './checks/quorum.ts';
import {reachability} from './checks/reachability.ts';
import {rootAccess} from './checks/root-access.ts';
import {selinux} from './checks/selinux.ts';
import {ssh} from './checks/ssh.ts';
import {stableAddress} from './checks/stable-address.ts';
import {swap} from './checks/swap.ts';
import {sysctls} from './checks/sysctls.ts';
import {systemd} from './checks/systemd.ts';
import {temporaryFolders} from './checks/temporary-folders.ts';
import {timeService} from './checks/time-service.ts';
import {tools} from './checks/tools.ts';
import {toolsRecommended} from './checks/tools-recommended.ts';
import {writableFolders} from './checks/writable-folders.ts';
import type {Check} from './check.ts';

export const checks: readonly Check[] = [
  ssh,
  rootAccess,
  systemd,
  operatingSystem,
  architecture,
  containerHost,
  tools,
  toolsRecommended,
  cpus,
  memory,
  diskSpace,
  diskPressure,
  inodes,
  kernelVersion,
  kernelKnownBad,
  cgroupV2,
  cgroupControllers,
  swap,
  modules,
  modulesLocked,
  sysctls,
  kernelLimits,
  noexec,
  temporaryFolders,
  writableFolders,
  mountPropagation,
  otherRuntimes,
  otherClusters,
  kubernetesLeftovers,
  cniLeftovers,
  clusterForeign,
  agentCompatible,
  ports,
  firewall,
  selinux,
  apparmor,
  clockSkew,
  timeService,
  hostname,
  hostnameUnique,
  hostnameResolves,
  machineId,
  machineIdUnique,
  macUnique,
  defaultRoute,
  nodeAddress,
  stableAddress,
  networkOverlap,
  ipv6,
  networkManager,
  networkd,
  networkDriver,
  mtuAgreement,
  mtuPath,
  reachability,
  dns,
  dnsLoop,
  proxy,
  endpointResolves,
  endpointFree,
  endpointNetwork,
  endpointReachable,
  quorum,
];
