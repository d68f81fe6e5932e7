import { ptr } from "bun:ffi";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";

/** Writes all of the bytes at the descriptor's position. Returns 0 or -errno. */
export function writeAll(fd: number, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  const pointer = ptr(bytes);
  for (let done = 0; done < bytes.length; ) {
    const wrote = sys.write(fd, pointer + done, bytes.length - done);
    if (wrote <= 0) return wrote === 0 ? -errno.EIO : wrote;
    done += wrote;
  }
  return 0;
}
