// What differs between families of Linux: package names and the exact commands of remedies.

/** A port as a firewall names it: `6443/tcp`, `30000-32767/tcp`. */
export type PortText = string;

export interface OsFamily {
  readonly name: string;
  /** Unsupported: why. */
  readonly unsupported?: string;
  /** True when packages can't be installed by a command (immutable images). */
  readonly immutable: boolean;
  /** Command that installs the packages of these tools. */
  install(tools: readonly string[]): string;
  /** Command that removes the packages of a runtime. */
  remove(packages: readonly string[]): string;
  /** Command that switches a time service on. */
  readonly enableTime: string;
  /** Command that makes cgroup v2 the default at the next boot. */
  readonly enableCgroupV2: string;
  /** Command that brings a newer kernel. */
  readonly upgradeKernel: string;
}

/** Package names by tool, where the package isn't called like the tool. */
export type PackageNames = Readonly<Record<string, string>>;

/** Names of the packages of tools, each once, in order. */
export function packagesOf(names: PackageNames, tools: readonly string[]): string {
  return [...new Set(tools.map((tool) => names[tool] ?? tool))].toSorted().join(' ');
}

/** For families with grubby-less GRUB. */
export const grubCgroupV2 = 'add systemd.unified_cgroup_hierarchy=1 to GRUB_CMDLINE_LINUX in /etc/default/grub, run update-grub, reboot';
