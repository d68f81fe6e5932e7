import { basename, dirname } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";

/** Something in a folder of the boot partition. */
export interface BootFile {
  readonly name: string;
  readonly isFolder: boolean;
}

/** One thing that is done to a file; paths from the partition's root. */
export type BootChange =
  | { readonly kind: "write"; readonly path: string; readonly content: string }
  /** Within a folder; as `BootFiles.rename`. */
  | { readonly kind: "rename"; readonly path: string; readonly to: string }
  | { readonly kind: "remove"; readonly path: string };

/**
 * The files of a boot partition, whether it is mounted or lies in an image. Paths are relative to
 * its root, with `/`. What is written is on the disk when a call returns.
 */
export interface BootFiles {
  /** For messages: the folder or the image. */
  readonly shown: string;
  /** What is in a folder, by name; nothing where there is no such folder. */
  list(folder: string): readonly BootFile[];
  /** The bytes of a file; undefined where there is none. */
  read(path: string): Uint8Array | undefined;
  /** Makes or replaces a file as a whole, and the folders above it. */
  write(path: string, content: string | Uint8Array): void;
  /**
   * Gives a file another name in the same folder; one that has it already is replaced. The new one
   * is there as a whole before the old one goes: a FAT has no rename that survives a power cut, so
   * after one both may be there.
   */
  rename(folder: string, from: string, to: string): void;
  /** Removes a file; one that is not there is fine. */
  remove(path: string): void;
  /** Removes a folder with all in it; one that is not there is fine. */
  removeFolder(path: string): void;
  /**
   * Does several things in an order that no power cut can change: what is in a step is on the disk
   * before the next one begins. The contents are written before the first step.
   */
  change(steps: readonly (readonly BootChange[])[]): void;
  /** Bytes that can still be written. */
  freeBytes(): number;
  /** Waits until everything is on the disk. */
  sync(): void;
}

/** {@link BootFiles.change} where each call waits for the disk by itself. */
export function changeOneByOne(
  files: Pick<BootFiles, "write" | "rename" | "remove">,
  steps: readonly (readonly BootChange[])[],
): void {
  for (const change of steps.flat()) {
    if (change.kind === "write") files.write(change.path, change.content);
    else if (change.kind === "remove") files.remove(change.path);
    else files.rename(dirname(change.path), basename(change.path), basename(change.to));
  }
}

/** A failure of the operating system on the boot partition, as a fault that says what was done. */
export function bootFault(action: string, path: string, error: unknown): Fault {
  const errno = (error as NodeJS.ErrnoException | undefined)?.code;
  const isFull = errno === "ENOSPC" || errno === "EDQUOT";
  const isRight = errno === "EACCES" || errno === "EPERM";
  return new Fault({
    code: isFull ? "E_NO_SPACE" : isRight ? "E_PRIVILEGE" : "E_IO",
    message: `Cannot ${action} "${path}": ${reasonOf(error)}`,
    hint: isRight
      ? "run it as root"
      : errno === "EROFS"
        ? `mount it for writing: mount -o remount,rw ${path}`
        : undefined,
    details: { path, errno },
  });
}
