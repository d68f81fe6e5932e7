import { sys } from "../../../../ffi/sys.ts";

/** CLONE_FS of unshare(2): working folder, umask and root. */
const CLONE_FS = 0x200;

/**
 * Gives this thread a working folder and a umask of its own: libalpm changes both while it unpacks,
 * and the files that other threads write meanwhile must not suffer. Of no effect elsewhere than on
 * Linux.
 */
export function keepToThread(): void {
  if (process.platform === "linux") sys.unshare(CLONE_FS);
}
