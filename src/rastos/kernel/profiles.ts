/** What a kernel is for. */
export interface KernelProfile {
  readonly name: string;
  readonly description: string;
  /** The configuration target of the kernel's Makefile that it is laid over. */
  readonly base: "defconfig" | "tinyconfig";
  /** Its settings, as the text of a configuration file. */
  load(): Promise<string>;
}

/** The profiles, in the order in which they are listed; the first is the default. */
export const KERNEL_PROFILES: readonly KernelProfile[] = [
  {
    name: "container-host",
    description: "Containers: cgroup v2, namespaces, overlayfs, bridges, nftables, WireGuard",
    base: "defconfig",
    load: async () =>
      (await import("../assets/kernel/container-host.config", { with: { type: "text" } })).default,
  },
  {
    name: "development",
    description: "Work on the kernel: debug information, kgdb, tracing, sanitizers",
    base: "defconfig",
    load: async () =>
      (await import("../assets/kernel/development.config", { with: { type: "text" } })).default,
  },
  {
    name: "production",
    description: "Hardened after the Kernel Self-Protection Project's recommendations",
    base: "defconfig",
    load: async () =>
      (await import("../assets/kernel/production.config", { with: { type: "text" } })).default,
  },
  {
    name: "tiny",
    description: "The least that boots in a virtual machine; built in minutes",
    base: "tinyconfig",
    load: async () =>
      (await import("../assets/kernel/tiny.config", { with: { type: "text" } })).default,
  },
];

/** The profile of a name, or undefined. */
export function findProfile(name: string): KernelProfile | undefined {
  return KERNEL_PROFILES.find((profile) => profile.name === name);
}
