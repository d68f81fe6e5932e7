import { Fault } from "../../kit/fault/fault.ts";
import type { RootFolder } from "../../kit/fs/root-folder.ts";

/** A kernel in a system, by paths from the system's root. */
export interface InstalledKernel {
  /** Name of its folder below usr/lib/modules. */
  readonly version: string;
  readonly image: string;
  /** An initial ram disk that the system made itself (mkinitcpio, dracut). */
  readonly initrd: string | undefined;
}

const MODULE_FOLDERS = ["usr/lib/modules", "lib/modules"];

/**
 * The kernel of a system: the wanted one, or the newest.
 *
 * @param wanted a version, or the name of a package such as `linux-lts`
 * @throws {Fault} E_NOT_FOUND naming those that there are
 */
export function findKernel(root: RootFolder, wanted?: string): InstalledKernel {
  const kernels = listKernels(root);
  const found = kernels
    .filter(
      ({ kernel, package: name }) =>
        wanted === undefined || wanted === kernel.version || wanted === name,
    )
    .at(-1);
  if (found !== undefined) return found.kernel;
  const names = kernels.map(({ kernel }) => kernel.version).join(", ");
  throw new Fault({
    code: "E_NOT_FOUND",
    message:
      wanted === undefined
        ? `Cannot find a kernel in "${root.path}"`
        : `Cannot find the kernel "${wanted}" in "${root.path}"`,
    hint:
      names === ""
        ? "install one into the snapshot, such as the package linux"
        : `there are: ${names}`,
  });
}

/** All kernels, the oldest version first. */
function listKernels(root: RootFolder): readonly KnownKernel[] {
  const folder = MODULE_FOLDERS.find((path) => root.names(path).length > 0) ?? "usr/lib/modules";
  return root
    .names(folder)
    .flatMap((version) => kernelOf(root, `${folder}/${version}`, version) ?? [])
    .sort((a, b) => compareVersions(a.kernel.version, b.kernel.version));
}

interface KnownKernel {
  readonly kernel: InstalledKernel;
  readonly package: string | undefined;
}

function kernelOf(root: RootFolder, folder: string, version: string): KnownKernel | undefined {
  const isFile = (path: string): boolean => root.status(path, { follow: true })?.kind === "file";
  const name = root.readText(`${folder}/pkgbase`)?.trim();
  const image = [`${folder}/vmlinuz`, `boot/vmlinuz-${version}`, `boot/vmlinuz-${name}`].find(
    isFile,
  );
  if (image === undefined) return undefined;
  const initrd = [
    `${folder}/initramfs`,
    `${folder}/initramfs.img`,
    `${folder}/initrd`,
    `boot/initramfs-${name}.img`,
    `boot/initramfs-${version}.img`,
    `boot/initrd.img-${version}`,
  ].find(isFile);
  return { kernel: { version, image, initrd }, package: name };
}

/** Numbers by value, everything else by letters: `6.10` comes after `6.9`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.match(/\d+|\D+/g) ?? [], b.match(/\d+|\D+/g) ?? []];
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [x = "", y = ""] = [left[index], right[index]];
    if (x === y) continue;
    const isNumeric = /^\d/.test(x) && /^\d/.test(y);
    const order = isNumeric ? Number(x) - Number(y) : x < y ? -1 : 1;
    if (order !== 0) return order;
  }
  return 0;
}
