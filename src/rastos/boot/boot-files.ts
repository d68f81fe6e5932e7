import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";

/** Something in a folder of the boot partition. */
export interface BootFile {
  readonly name: string;
  readonly isFolder: boolean;
}

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
  /** Bytes that can still be written. */
  freeBytes(): number;
  /** Waits until everything is on the disk. */
  sync(): void;
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
