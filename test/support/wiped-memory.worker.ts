/** A thread that uses memory, wipes it, and uses it again, so many times; says what it saw. */
import { Memory, takeGrowingMemory, takeMemory, wipeThreadMemory } from "../../ffi/mem.ts";

declare const self: Worker;

const MIB = 1024 * 1024;
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

export type WipeReport = {
  /** Bytes mapped, after each use. */
  readonly mapped: readonly number[];
  /** All bytes that any use ever saw were zero after the wipe. */
  readonly areZero: boolean;
  /** Where blocks were: those that were taken, and one that its maker keeps. */
  readonly taken: readonly number[];
  readonly lasting: number;
  /** What a growing block showed when it was taken. */
  readonly shown: readonly number[];
};

self.onmessage = ({ data: uses }: MessageEvent<number>) => {
  const lasting = new Memory(4 * 4096);
  const mapped: number[] = [];
  const taken: number[] = [];
  const shown: number[] = [];
  let areZero = true;
  for (let use = 0; use < uses; use++) {
    const first = takeMemory(4 * 4096);
    const second = takeMemory(4 * 4096);
    const growing = takeGrowingMemory(4096, MIB);
    shown.push(growing.bytes.length);
    growing.grow(MIB);
    for (const { bytes } of [lasting, first, second, growing]) {
      areZero &&= isZero(bytes);
      bytes.fill(7);
    }
    taken.push(first.pointer, second.pointer, growing.pointer);
    mapped.push(wipeThreadMemory());
    areZero &&= [lasting, first, second, growing].every(({ bytes }) => isZero(bytes));
  }
  const report: WipeReport = { mapped, areZero, taken, lasting: lasting.pointer, shown };
  self.postMessage(report);
};
