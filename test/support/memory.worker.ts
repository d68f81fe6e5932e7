/** A thread that maps so many MiB, uses some of it, and says so. */
import { GrowingMemory, Memory } from "../../ffi/mem.ts";

declare const self: Worker;

self.onmessage = ({ data: mib }: MessageEvent<number>) => {
  const memory = new Memory((mib / 2) * 1024 * 1024);
  const growing = new GrowingMemory(4096, (mib / 2) * 1024 * 1024);
  memory.bytes.fill(1);
  growing.grow(1024 * 1024);
  growing.bytes.fill(1);
  self.postMessage("mapped");
};
