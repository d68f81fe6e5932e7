import { homedir } from "node:os";
import { AT, O } from "../../../ffi/abi/constants.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { displayPath } from "../engine/path.ts";
import { look } from "./look.ts";

const depthMax = 4096;

/**
 * Refuses a folder that holds the working folder or the home folder of whoever runs this: nobody
 * means to remove it. Folders are compared by device and inode, so that spellings, links and bind
 * mounts make no difference.
 *
 * @throws {Fault} E_REFUSED
 */
export function refuseTarget(path: string, folderFd: number, name: string): void {
  const memory = look();
  if (memory.statName(folderFd, name) !== 0) return;
  const target = identity();
  const home = Buffer.from(homedir()).toString("latin1");
  for (const [start, what] of [
    [".", "the working folder"],
    [home, "the home folder"],
  ] as const) {
    const isHeld = foldersAbove(start).includes(target);
    if (!isHeld) continue;
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot remove "${displayPath(path)}": ${what} is that folder or lies in it`,
    });
  }
}

function identity(): string {
  const { dev, inoHigh, inoLow } = look().status;
  return `${dev}:${inoHigh}:${inoLow}`;
}

/** The identities of a folder and of all above it; as many as can be looked at. */
function foldersAbove(start: string): string[] {
  const memory = look();
  const flags = O.PATH | O.DIRECTORY | O.CLOEXEC;
  const found: string[] = [];
  let result = sys.openat(AT.FDCWD, memory.name(start), flags, 0);
  for (let depth = 0; depth < depthMax && result >= 0; depth += 1) {
    using current = new Fd(result);
    if (memory.statFd(current.number) !== 0) break;
    const here = identity();
    if (found.at(-1) === here) break;
    found.push(here);
    result = sys.openat(current.number, memory.name(".."), flags, 0);
    if (depth === depthMax - 1 && result >= 0) sys.close(result);
  }
  return found;
}
