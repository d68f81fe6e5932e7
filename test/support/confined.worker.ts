/** A thread that confines itself and tells what it can still do. */
import { AT, O } from "../../ffi/abi/constants.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";
import { type Confinement, confineThread } from "../../src/blit/daemon/confine.ts";

declare const self: Worker;

export type ConfinedRequest = {
  readonly confinement: Confinement;
  /** Opened by their whole path for reading. */
  readonly outside: readonly string[];
  /** Names below the root: a file is made, renamed into the folder, read and removed. */
  readonly file: string;
  readonly folder: string;
};

export type ConfinedAnswer = {
  readonly done: readonly string[] | string;
  readonly outside: readonly number[];
  readonly made: number;
  readonly renamed: number;
  readonly read: number;
  readonly removed: number;
};

const memory = new Memory(16_384);

function text(path: string, slot = 0): number {
  writeCString(memory.bytes, slot * 8192, path);
  return memory.pointer + slot * 8192;
}

function tried(fd: number): number {
  return fd < 0 ? fd : sys.close(fd);
}

function confine(confinement: Confinement): readonly string[] | string {
  try {
    return confineThread(confinement);
  } catch (error) {
    return String(error);
  }
}

self.onmessage = ({ data }: MessageEvent<ConfinedRequest>) => {
  const { rootFd } = data.confinement;
  const done = confine(data.confinement);
  const outside = data.outside.map((path) => tried(sys.openat(AT.FDCWD, text(path), O.RDONLY, 0)));
  const flags = O.WRONLY | O.CREAT | O.TRUNC;
  const made = tried(sys.openat(rootFd, text(data.file), flags, 0o644));
  const moved = `${data.folder}/${data.file}`;
  const renamed = sys.renameat2(rootFd, text(data.file), rootFd, text(moved, 1), 0);
  const read = tried(sys.openat(rootFd, text(moved), O.RDONLY, 0));
  const removed = sys.unlinkat(rootFd, text(moved), 0);
  const answer: ConfinedAnswer = { done, outside, made, renamed, read, removed };
  self.postMessage(answer);
};
