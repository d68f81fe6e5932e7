/** Two machines with one network between them: 10.77.0.1 (left) and 10.77.0.2 (right). */
import { binaryPath } from "../support/binary.ts";
import type { Workspace } from "../support/workspace.ts";
import { CONSOLE_SCRIPT, freePort, Guest } from "./guest.ts";
import { writeInitramfs } from "./initramfs.ts";
import { labKernel } from "./kernel.ts";

/** Both, with the executable as `triad`; they go with their scope. */
export interface Pair extends AsyncDisposable {
  readonly left: Guest;
  readonly right: Guest;
}

/** What they get beside it. */
export interface PairRequest {
  readonly modules: readonly string[];
  /** Programs of this machine, by their paths. */
  readonly programs: readonly string[];
  readonly memoryMb?: number;
}

/** Addresses of the two. */
export const PAIR_ADDRESS = { left: "10.77.0.1", right: "10.77.0.2" } as const;

/** Starts both, and waits until they can reach each other. */
export async function startPair(work: Workspace, request: PairRequest): Promise<Pair> {
  const kernel = labKernel("cloud");
  const initrd = work.at("initramfs");
  const { modules, programs, memoryMb = 768 } = request;
  const named = { triad: await binaryPath() };
  writeInitramfs(initrd, { kernel, modules, programs, named, script: CONSOLE_SCRIPT });
  const port = freePort();
  const start = (kind: "listen" | "connect"): Guest =>
    Guest.start({
      kernel: { image: kernel.image, initrd, options: "panic=-1" },
      networks: [{ kind, port }],
      memoryMb,
    });
  const left = start("listen");
  await left.waitFor("lab: console");
  const right = start("connect");
  await right.waitFor("lab: console");
  await left.run(`ip addr add ${PAIR_ADDRESS.left}/24 dev eth0; ip link set eth0 up`);
  await right.run(`ip addr add ${PAIR_ADDRESS.right}/24 dev eth0; ip link set eth0 up`);
  return {
    left,
    right,
    [Symbol.asyncDispose]: async () => {
      await left[Symbol.asyncDispose]();
      await right[Symbol.asyncDispose]();
    },
  };
}
