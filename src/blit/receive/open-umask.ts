import { sys } from "../../../ffi/sys.ts";

/**
 * Sessions give every file its permissions themselves: the process's file mode creation mask is 0
 * while any of them runs. One counter for all, since the mask belongs to the process.
 */

let holders = 0;
let former = 0;

/** Returns the user's mask, for folders that nobody's permissions are known of. */
export function holdUmask(): number {
  if (holders++ === 0) former = sys.umask(0);
  return former;
}

/** To be called once for each `holdUmask`. */
export function releaseUmask(): void {
  if (--holders === 0) sys.umask(former);
}
