/**
 * A machine with a kernel of Debian's, for what the kernel at hand has not: tests of this
 * repository run in it under bun, from an initial ram disk, and their output comes over the serial
 * port.
 */
import { createWorkspace } from "../support/workspace.ts";
import { Guest } from "./guest.ts";
import { END_MARKER, type InitramfsRequest, writeInitramfs } from "./initramfs.ts";
import { type KernelFlavour, labKernel } from "./kernel.ts";

/** A run in a machine of its own. */
export interface LabRun extends Omit<InitramfsRequest, "kernel"> {
  /** Default `cloud`. */
  readonly flavour?: KernelFlavour;
  /** Default 1536. */
  readonly memoryMb?: number;
  /** Time for it all on a quiet machine; default two minutes. */
  readonly limitMs?: number;
}

/** Runs a script in a machine of its own. Returns what it has printed, and its exit code. */
export async function runInLab(run: LabRun): Promise<{ output: string; code: number }> {
  using work = createWorkspace();
  const kernel = labKernel(run.flavour ?? "cloud");
  const initrd = work.at("initramfs");
  writeInitramfs(initrd, { ...run, kernel });
  await using guest = Guest.start({
    kernel: { image: kernel.image, initrd, options: "panic=-1" },
    memoryMb: run.memoryMb ?? 1536,
  });
  const end = new RegExp(`${END_MARKER} (\\d+)`);
  const [, code] = await guest.waitFor(end, { limitMs: run.limitMs ?? 120_000 });
  await guest.ended();
  return { output: guest.text, code: Number(code) };
}
