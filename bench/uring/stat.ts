import { AT } from "../../ffi/abi/constants.ts";
import type { StatView } from "../../ffi/abi/stat.ts";
import { sys } from "../../ffi/sys.ts";
import { type Pair, statMask } from "./pair.ts";
import { must, type Ring } from "./ring.ts";

/** Asks for the status of files `from` to `to` - 1 of a folder; returns a checksum of it. */
export type StatBatch = (pair: Pair, ring: Ring, from: number, to: number) => number;

export const statWays: Readonly<Record<"calls" | "ring", StatBatch>> = {
  calls: (pair, _ring, from, to) => {
    const { sourceFd, names } = pair;
    const view = pair.views[0] as StatView;
    let sum = 0;
    for (let index = from; index < to; index++) {
      const name = names[index] as number;
      must(sys.statx(sourceFd, name, AT.SYMLINK_NOFOLLOW, statMask, view.pointer), "statx");
      sum += checksum(view);
    }
    return sum;
  },
  ring: (pair, ring, from, to) => {
    const { sourceFd, names, views } = pair;
    const count = to - from;
    for (let i = 0; i < count; i++) {
      const name = names[from + i] as number;
      const { pointer } = views[i] as StatView;
      ring.statx(sourceFd, name, AT.SYMLINK_NOFOLLOW, statMask, pointer, i);
    }
    ring.runAll();
    let sum = 0;
    for (let i = 0; i < count; i++) {
      must(ring.results[i] as number, "statx");
      sum += checksum(views[i] as StatView);
    }
    return sum;
  },
};

/** Small enough that the sum of a million stays exact. */
function checksum(view: StatView): number {
  return view.sizeBytes + view.mtimeSec + (view.mtimeNsec % 1000) + view.ino;
}
