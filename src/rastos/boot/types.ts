/** Where boot files are kept: a mounted ESP (or /boot), or a FAT file system inside an image. */
export type BootTarget =
  | { readonly kind: "folder"; readonly path: string }
  /** Written by mtools; `offset` in bytes. */
  | { readonly kind: "image"; readonly path: string; readonly offset: number };

/** The boot loaders. GRUB reads the same kernels and initial ram disks from the ESP or /boot. */
export type BootLoader = "systemd-boot" | "grub";

/** One system that can be booted. */
export interface BootEntry {
  /** `rastos-N-K`, without counters. */
  readonly name: string;
  readonly title: string;
  /** For the order in the menu: systemd-boot sorts by it, newest first. */
  readonly version: string;
  /** From the ESP's root: `/EFI/rastos/N-K/vmlinuz`. */
  readonly kernel: string;
  readonly initrd: string;
  /** The kernel's command line, with root= and rootflags=subvol=. */
  readonly options: string;
  /** Boots that are left before it counts as bad; undefined: blessed. */
  readonly triesLeft: number | undefined;
  /** Boots that have failed so far. */
  readonly triesDone: number;
}

/** Which deployment an entry boots: K of snapshot N. */
export interface EntryIdentity {
  readonly snapshot: number;
  readonly deployment: number;
}
