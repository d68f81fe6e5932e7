import { ptr } from "bun:ffi";
import { O } from "../../../ffi/abi/constants.ts";
import { errnoText } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { HERE, openAt } from "../../kit/fs/at.ts";

/** Requests of linux/vt.h. */
const VT_OPENQRY = 0x5600;
const VT_DISALLOCATE = 0x5608;

/** A terminal, or why there is none. */
export type TerminalChoice =
  | { readonly kind: "terminal"; readonly path: string; readonly allocated: number | undefined }
  | { readonly kind: "missing"; readonly reason: string };

/**
 * The terminal that a service asks for: a path, the console, or a virtual one that nobody uses.
 *
 * @param folder replaced in tests
 */
export function chooseTerminal(wish: string, folder = "/dev"): TerminalChoice {
  if (wish === "console") {
    return { kind: "terminal", path: `${folder}/console`, allocated: undefined };
  }
  if (wish !== "auto") return { kind: "terminal", path: wish, allocated: undefined };
  const fd = openAt(HERE, `${folder}/tty0`, O.RDWR);
  if (fd < 0) return { kind: "missing", reason: `no virtual terminals: ${errnoText(-fd)}` };
  const number = new Int32Array(1);
  const answer = sys.ioctl(fd, VT_OPENQRY, ptr(number));
  sys.close(fd);
  const [free = -1] = number;
  if (answer < 0 || free < 1) return { kind: "missing", reason: "all virtual terminals are taken" };
  return { kind: "terminal", path: `${folder}/tty${free}`, allocated: free };
}

/** Gives the memory of a virtual terminal back; one that is in use stays. */
export function releaseTerminal(number: number, folder = "/dev"): void {
  const fd = openAt(HERE, `${folder}/tty0`, O.RDWR);
  if (fd < 0) return;
  sys.ioctl(fd, VT_DISALLOCATE, number);
  sys.close(fd);
}
