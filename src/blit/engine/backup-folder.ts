import { AT, O } from "../../../ffi/abi/constants.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { displayPath, splitPath } from "./path.ts";
import { refuseLongPath } from "./roots.ts";
import type { Thread } from "./thread.ts";

/** The folder that --backup-dir names, or the one that is to hold it where it is missing. */
export type BackupPlace = {
  readonly path: string;
  fd: number;
  /** Name to make in it; "" where the folder is there. */
  missing: string;
};

const folderFlags = O.RDONLY | O.DIRECTORY | O.CLOEXEC | O.NONBLOCK;

/**
 * Opens what there is of the backup folder; makes nothing.
 * @throws {Fault} E_IO; E_REFUSED where it is not on the target's file system, `targetDev`
 */
export function findBackupPlace(
  t: Thread,
  path: string,
  targetDev: number,
  open = (name: string, flags: number) => sys.openat(AT.FDCWD, t.cLink(name), flags, 0),
): BackupPlace {
  refuseLongPath(path);
  let missing = "";
  let fd = open(path, folderFlags);
  if (fd === -errno.ENOENT) {
    const { folder, name } = splitPath(path);
    missing = name;
    fd = open(folder, folderFlags);
  }
  if (fd < 0) throw cannotOpen(path, fd);
  if (t.statFd(fd, t.other) === 0 && t.other.dev !== targetDev) {
    sys.close(fd);
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot keep backups in "${displayPath(path)}": not the target's file system`,
      hint: "name a folder on the target's file system, outside the target",
    });
  }
  return { path, fd, missing };
}

/** Makes the backup folder where it is missing. Returns its descriptor, which the place owns. */
export function makeBackupFolder(t: Thread, place: BackupPlace): number {
  if (place.missing === "") return place.fd;
  const made = sys.mkdirat(place.fd, t.cName(place.missing), 0o700);
  if (made < 0 && made !== -errno.EEXIST) throw cannotOpen(place.path, made);
  const fd = sys.openat(place.fd, t.cName(place.missing), folderFlags | O.NOFOLLOW, 0);
  if (fd < 0) throw cannotOpen(place.path, fd);
  sys.close(place.fd);
  place.fd = fd;
  place.missing = "";
  return fd;
}

function cannotOpen(path: string, result: number): Fault {
  const message = `Cannot open the backup folder "${displayPath(path)}": ${errnoText(-result)}`;
  return new Fault({ code: "E_IO", message, hint: "its parent folder must exist" });
}
