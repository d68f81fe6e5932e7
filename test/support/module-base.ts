import { O } from "../../ffi/abi/constants.ts";
import { RESOLVE } from "../../ffi/abi/open-how.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";
import type { Base } from "../../src/blit/session/types.ts";

/** A folder as a daemon's module opens it: nothing leads out of it. Closed with its scope. */
export function openModuleBase(path: string): Base & Disposable {
  const memory = new Memory(4096);
  writeCString(memory.bytes, 0, Buffer.from(path).toString("latin1"));
  const fd = sys.openat(-100, memory.pointer, O.RDONLY | O.DIRECTORY | O.CLOEXEC, 0);
  if (fd < 0) throw new Error(`Cannot open "${path}": ${-fd}`);
  return {
    fd,
    resolve: RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS,
    [Symbol.dispose]: () => void sys.close(fd),
  };
}

/** A user's own paths. */
export const OWN_PATHS: Base = { fd: -100, resolve: 0 };
