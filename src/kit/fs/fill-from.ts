import { readSync } from "node:fs";
import { IOCTL } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { writeAllTo } from "./at.ts";

const chunkBytes = 1 << 18;

/**
 * Fills an open new file with another's content, by sharing its blocks where that is possible.
 * Returns 0, or -errno of a write.
 */
export function fillFrom(source: number, target: number): number {
  if (sys.ioctl(target, IOCTL.FICLONE, source) >= 0) return 0;
  const chunk = Buffer.alloc(chunkBytes);
  for (;;) {
    const got = readSync(source, chunk);
    if (got === 0) return 0;
    const written = writeAllTo(target, chunk.subarray(0, got));
    if (written < 0) return written;
  }
}
