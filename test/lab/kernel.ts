import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { output, unpackedPackage } from "./cache.ts";

/**
 * `cloud` is small and has what a virtual machine needs; `full` has the rest, such as RDMA. Both
 * have kernel TLS, WireGuard, netem, overlay and btrfs.
 */
export type KernelFlavour = "cloud" | "full";

/** A kernel of Debian's, with its modules. */
export interface LabKernel {
  readonly version: string;
  /** The file to boot. */
  readonly image: string;
  /** Folder that holds `lib/modules/VERSION`. */
  readonly root: string;
}

const packageNames: Readonly<Record<KernelFlavour, string>> = {
  cloud: "linux-image-cloud-amd64",
  full: "linux-image-amd64",
};

/**
 * A kernel from the cache, fetched when it is not there yet.
 *
 * @throws Error when it cannot be fetched
 */
export function labKernel(flavour: KernelFlavour): LabKernel {
  const root = unpackedPackage(packageNames[flavour]);
  const [version] = readdirSync(join(root, "lib/modules"));
  if (version === undefined) throw new Error(`No modules in "${root}"`);
  const done = join(root, "modules.done");
  if (!existsSync(done)) {
    output(["depmod", "-b", root, version]);
    writeFileSync(done, "");
  }
  return { version, image: join(root, "boot", `vmlinuz-${version}`), root };
}

/**
 * Files of modules and of all that they need, in the order in which they are loaded.
 *
 * @throws Error naming a module that this kernel has not
 */
export function moduleFiles(kernel: LabKernel, names: readonly string[]): readonly string[] {
  const files = names.flatMap((name) =>
    output(["modprobe", "-d", kernel.root, "-S", kernel.version, "--show-depends", name])
      .split("\n")
      .map((line) => /^insmod (\S+)/.exec(line)?.[1] ?? ""),
  );
  return [...new Set(files)].filter((file) => file !== "");
}
