import { SA, SIG, SIGACTION_LAYOUT } from "../../../ffi/abi/sigaction.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";

/** Room for one struct sigaction, for as long as the process lasts. */
let memory: Memory | undefined;

const numbers = { SIGINT: SIG.INT, SIGTERM: SIG.TERM } as const;

/**
 * Lets the handler of a signal, which must be there already, run once: from then on the signal
 * ends the process by itself (SA_RESETHAND of sigaction(2)). A second Ctrl-C so works also while
 * the main thread waits for storage that does not answer and can run no handler. Linux only;
 * elsewhere, and where the call fails, the handler stays as it is.
 */
export function resetAfterFirst(signal: keyof typeof numbers): void {
  if (process.platform !== "linux") return;
  memory ??= new Memory(4096);
  const number = numbers[signal];
  if (sys.sigaction(number, 0, memory.pointer) < 0) return;
  const flags = new Uint32Array(memory.buffer, SIGACTION_LAYOUT.flags, 1);
  flags[0] = ((flags[0] as number) | SA.RESETHAND) >>> 0;
  sys.sigaction(number, memory.pointer, 0);
}
