import { AT, O, S } from "../../ffi/abi/constants.ts";
import type { StatView } from "../../ffi/abi/stat.ts";
import { sys } from "../../ffi/sys.ts";
import { NR } from "./abi.ts";
import type { CopyWay } from "./job.ts";
import { type Pair, slotBytes, sourceFlags, statMask, targetFlags } from "./pair.ts";
import { must, type Ring, syscall } from "./ring.ts";

/**
 * The files of a folder, `from` up to but without `to`, copied in one of the ways. All of them end
 * in the same tree and ask the same questions of each file. Returns the bytes copied.
 * @throws Error at the first file that is not small, plain and free of trouble
 */
export type CopyBatch = (pair: Pair, ring: Ring, from: number, to: number) => number;

export const copyWays: Readonly<Record<CopyWay, CopyBatch>> = {
  calls: copyByCalls,
  batched: copyBatched,
  inline: copyInline,
  chained: (pair, ring, from, to) => {
    readChains(pair, ring, from, to);
    return writeChains(pair, ring, from, to);
  },
  "read-chain": (pair, ring, from, to) => {
    readChains(pair, ring, from, to);
    let bytes = 0;
    for (let index = from; index < to; index++) bytes += writeByCalls(pair, ring, from, index);
    return bytes;
  },
};

function mustBePlain(view: StatView, got: number): void {
  if (got < 0) must(got, "read");
  const isPlain =
    got < slotBytes &&
    view.sizeBytes === got &&
    view.nlink === 1 &&
    (view.mode & S.IFMT) === S.IFREG &&
    view.blocks * 512 >= got;
  if (!isPlain) throw new Error("Cannot measure: a file is not small and plain");
}

function mustHaveNoXattrs(result: number): void {
  if (must(result, "flistxattr") !== 0) throw new Error("Cannot measure: a file has xattrs");
}

function mustWrite(result: number, wanted: number): void {
  if (must(result, "write") !== wanted) throw new Error("Cannot measure: a write was short");
}

/** As src/blit/engine/copy-small.ts, file by file. */
function copyByCalls(pair: Pair, _ring: Ring, from: number, to: number): number {
  const { sourceFd, targetFd, names, data, empty } = pair;
  const view = pair.views[0] as StatView;
  let bytes = 0;
  for (let index = from; index < to; index++) {
    const name = names[index] as number;
    const source = must(sys.openat(sourceFd, name, sourceFlags, 0), "openat");
    const got = sys.read(source, data.pointer, slotBytes);
    must(sys.statx(source, empty, AT.EMPTY_PATH, statMask, view.pointer), "statx");
    mustBePlain(view, got);
    const target = must(sys.openat(targetFd, name, targetFlags, view.mode & 0o7777), "openat");
    mustWrite(sys.write(target, data.pointer, got), got);
    mustHaveNoXattrs(sys.flistxattr(source, pair.xattrs, pair.xattrBytes));
    must(sys.futimens(target, pair.times(view)), "futimens");
    must(sys.close(target), "close");
    sys.close(source);
    bytes += got;
  }
  return bytes;
}

const sources = new Int32Array(1024);
const targets = new Int32Array(1024);

/** Tags of a stage: the file's place in the batch, and the second operation of the same file. */
function copyBatched(pair: Pair, ring: Ring, from: number, to: number): number {
  const { targetFd, names, data, views, empty } = pair;
  const { results } = ring;
  const count = to - from;
  openSources(pair, ring, from, to);
  for (let i = 0; i < count; i++) {
    const source = sources[i] as number;
    const { pointer } = views[i] as StatView;
    ring.read(source, data.pointer + i * slotBytes, slotBytes, i);
    ring.statx(source, empty, AT.EMPTY_PATH, statMask, pointer, count + i);
  }
  ring.runAll();
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const view = views[i] as StatView;
    must(results[count + i] as number, "statx");
    mustBePlain(view, results[i] as number);
    bytes += results[i] as number;
  }
  for (let i = 0; i < count; i++) {
    const mode = (views[i] as StatView).mode & 0o7777;
    ring.openat(targetFd, names[from + i] as number, targetFlags, mode, i);
  }
  ring.runAll();
  for (let i = 0; i < count; i++) {
    const target = must(results[i] as number, "openat");
    targets[i] = target;
    ring.write(target, data.pointer + i * slotBytes, (views[i] as StatView).sizeBytes, i);
  }
  ring.runAll();
  for (let i = 0; i < count; i++) {
    const view = views[i] as StatView;
    mustWrite(results[i] as number, view.sizeBytes);
    mustHaveNoXattrs(sys.flistxattr(sources[i] as number, pair.xattrs, pair.xattrBytes));
    must(sys.futimens(targets[i] as number, pair.times(view)), "futimens");
  }
  closeBoth(ring, count);
  return bytes;
}

function openSources(pair: Pair, ring: Ring, from: number, to: number): void {
  const count = to - from;
  for (let i = 0; i < count; i++) {
    ring.openat(pair.sourceFd, pair.names[from + i] as number, sourceFlags, 0, i);
  }
  ring.runAll();
  for (let i = 0; i < count; i++) sources[i] = must(ring.results[i] as number, "openat");
}

function closeBoth(ring: Ring, count: number): void {
  for (let i = 0; i < count; i++) {
    ring.close(targets[i] as number, i);
    ring.close(sources[i] as number, count + i);
  }
  ring.runAll();
  for (let i = 0; i < count; i++) must(ring.results[i] as number, "close");
}

/** The kernel hands statx, open with O_CREAT and ext4's buffered writes to threads: calls here. */
function copyInline(pair: Pair, ring: Ring, from: number, to: number): number {
  const { targetFd, names, data, views } = pair;
  const { results } = ring;
  const count = to - from;
  openSources(pair, ring, from, to);
  for (let i = 0; i < count; i++) {
    ring.read(sources[i] as number, data.pointer + i * slotBytes, slotBytes, i);
  }
  ring.runAll();
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const source = sources[i] as number;
    const view = views[i] as StatView;
    const got = results[i] as number;
    pair.statFd(source, view);
    mustBePlain(view, got);
    const name = names[from + i] as number;
    const target = must(sys.openat(targetFd, name, targetFlags, view.mode & 0o7777), "openat");
    mustWrite(sys.write(target, data.pointer + i * slotBytes, got), got);
    mustHaveNoXattrs(sys.flistxattr(source, pair.xattrs, pair.xattrBytes));
    must(sys.futimens(target, pair.times(view)), "futimens");
    targets[i] = target;
    bytes += got;
  }
  closeBoth(ring, count);
  return bytes;
}

/**
 * Reads the sources over direct descriptors, which never enter the process's table. What needs a
 * descriptor goes by name in the folder: statx, and listxattrat (Linux 6.13) for flistxattr.
 */
function readChains(pair: Pair, ring: Ring, from: number, to: number): void {
  const { sourceFd, names, data, views } = pair;
  const { results } = ring;
  const count = to - from;
  const flags = sourceFlags & ~O.CLOEXEC;
  for (let i = 0; i < count; i++) {
    ring.openDirect(sourceFd, names[from + i] as number, flags, 0, i, count + i);
    ring.readDirect(i, data.pointer + i * slotBytes, slotBytes, i);
    ring.closeDirect(i, 2 * count + i);
  }
  ring.runAll();
  for (let i = 0; i < count; i++) {
    const view = views[i] as StatView;
    const name = names[from + i] as number;
    must(results[count + i] as number, "openat");
    must(sys.statx(sourceFd, name, AT.SYMLINK_NOFOLLOW, statMask, view.pointer), "statx");
    mustBePlain(view, results[i] as number);
    const { xattrs, xattrBytes } = pair;
    mustHaveNoXattrs(
      syscall(NR.listxattrat, sourceFd, name, AT.SYMLINK_NOFOLLOW, xattrs, xattrBytes, 0),
    );
  }
}

/** Creates, writes and closes the targets, each in one chain; the times go by name. */
function writeChains(pair: Pair, ring: Ring, from: number, to: number): number {
  const { targetFd, names, data, views } = pair;
  const { results } = ring;
  const count = to - from;
  const flags = targetFlags & ~O.CLOEXEC;
  for (let i = 0; i < count; i++) {
    const { mode, sizeBytes } = views[i] as StatView;
    ring.openDirect(targetFd, names[from + i] as number, flags, mode & 0o7777, i, count + i);
    ring.writeDirect(i, data.pointer + i * slotBytes, sizeBytes, i);
    ring.closeDirect(i, 2 * count + i);
  }
  ring.runAll();
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const view = views[i] as StatView;
    must(results[count + i] as number, "openat");
    mustWrite(results[i] as number, view.sizeBytes);
    must(results[2 * count + i] as number, "close");
    const name = names[from + i] as number;
    const times = pair.times(view);
    must(sys.utimensat(targetFd, name, times, AT.SYMLINK_NOFOLLOW), "utimensat");
    bytes += view.sizeBytes;
  }
  return bytes;
}

function writeByCalls(pair: Pair, _ring: Ring, from: number, index: number): number {
  const { targetFd, names, data } = pair;
  const view = pair.views[index - from] as StatView;
  const { mode, sizeBytes } = view;
  const name = names[index] as number;
  const target = must(sys.openat(targetFd, name, targetFlags, mode & 0o7777), "openat");
  const from_ = data.pointer + (index - from) * slotBytes;
  mustWrite(sys.write(target, from_, sizeBytes), sizeBytes);
  must(sys.futimens(target, pair.times(view)), "futimens");
  must(sys.close(target), "close");
  return sizeBytes;
}
