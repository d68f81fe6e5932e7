import { errno, errnoName, errnoText } from "../../../ffi/errno.ts";
import { Fault } from "../../kit/fault/fault.ts";

/**
 * What a call that answered -errno means to a person.
 *
 * @param action with the object: `make a snapshot of "/mnt/.snapshots/rootfs/snapshot-1"`
 */
export function callFault(action: string, result: number): Fault {
  const number = -result;
  const message = `Cannot ${action}: ${errnoText(number)}`;
  const details = { errno: errnoName(number) };
  switch (number) {
    case errno.EPERM:
    case errno.EACCES:
      return new Fault({
        code: "E_PRIVILEGE",
        message,
        details,
        hint: "snapshots need root: run it with sudo",
      });
    case errno.ENOSPC:
    case errno.EDQUOT:
      return new Fault({
        code: "E_NO_SPACE",
        message,
        details,
        hint: "remove snapshots that nobody needs: rastos snapshot prune",
      });
    case errno.ENOTTY:
      return new Fault({
        code: "E_REFUSED",
        message: `Cannot ${action}: it is not on a btrfs file system`,
        details,
        hint: "--root takes the mounted top level of a btrfs (mount -o subvolid=5)",
      });
    default:
      return new Fault({
        code: number === errno.ENOENT ? "E_NOT_FOUND" : "E_IO",
        message,
        details,
      });
  }
}

/** Passes a result through. @throws {Fault} for -errno */
export function must(result: number, action: string): number {
  if (result < 0) throw callFault(action, result);
  return result;
}
