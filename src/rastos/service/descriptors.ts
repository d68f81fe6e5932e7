import { ptr } from "bun:ffi";
import { O } from "../../../ffi/abi/constants.ts";
import { check, sys } from "../../../ffi/sys.ts";
import { HERE, openAt } from "../../kit/fs/at.ts";

const F_DUPFD_CLOEXEC = 1030;
/** Descriptors that are handed to children lie above those that they are put at. */
const LOWEST = 64;
const F_SETFL = 4;

/** Moves a descriptor out of the range of those that children get. @throws SystemError */
function high(fd: number): number {
  const moved = sys.fcntl(fd, F_DUPFD_CLOEXEC, LOWEST);
  sys.close(fd);
  return check(moved, "fcntl");
}

/** A pipe; our end for reading does not block. @throws SystemError */
export function openPipe(): { readonly read: number; readonly write: number } {
  const pair = new Int32Array(2);
  check(sys.pipe2(ptr(pair), O.CLOEXEC), "pipe2");
  const [read = -1, write = -1] = pair;
  sys.fcntl(read, F_SETFL, O.NONBLOCK);
  return { read, write: high(write) };
}

/** Opens something that a child gets. Returns -errno where it cannot be opened. */
export function openHigh(path: string, flags: number): number {
  const fd = openAt(HERE, path, flags);
  return fd < 0 ? fd : high(fd);
}

/**
 * Opens a terminal for a child, without waiting for a line that is not connected, and without it
 * becoming ours. Returns -errno where it cannot be opened, or is no terminal.
 */
export function openTerminal(path: string): number {
  const NOCTTY = 0o400;
  const fd = openHigh(path, O.RDWR | O.NONBLOCK | NOCTTY);
  if (fd < 0) return fd;
  const TCGETS = 0x5401;
  const settings = new Uint8Array(64);
  const answer = sys.ioctl(fd, TCGETS, ptr(settings));
  if (answer < 0) {
    sys.close(fd);
    return answer;
  }
  sys.fcntl(fd, F_SETFL, 0);
  return fd;
}

/** Standard streams that are missing are opened, so that no other file takes their numbers. */
export function fillStandardStreams(): void {
  for (;;) {
    const fd = openAt(HERE, "/dev/null", O.RDWR);
    if (fd > 2) sys.close(fd);
    if (fd < 0 || fd > 2) return;
    // Without O_CLOEXEC it stays for children; 0 to 2 are replaced in each of them.
  }
}
