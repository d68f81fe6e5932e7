import { O } from "../../../ffi/abi/constants.ts";
import type { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { DeltaWriter, deltaWriterMemory } from "../delta/receive-delta.ts";
import { tryReflink } from "../engine/content.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { partialName } from "../engine/staging.ts";
import { isStillSettled } from "./base-requests.ts";
import {
  type AnnouncedFile,
  beginLargeFile,
  firstMode,
  type LargeFile,
  noFile,
  openPart,
} from "./large-file.ts";
import type { DeltaBase } from "./received-folder.ts";
import type { Receiver } from "./receiver.ts";

/** A file that is put together from what the target has and what comes. */

const readFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;

let memory: Memory | undefined;

export type DeltaIntake = {
  readonly node: FolderNode;
  readonly targetName: string | undefined;
  /** The base is what an interrupted run received; it is completed in its place. */
  readonly fromPart: boolean;
  readonly base: DeltaBase;
  readonly announced: AnnouncedFile;
};

/** Opens the base again; where it has gone, what comes is skipped and asked for anew. */
export function beginDelta(r: Receiver, intake: DeltaIntake): LargeFile {
  const { node, announced } = intake;
  const { t } = r;
  if (intake.fromPart) {
    const temporaryName = partialName(t.entryName());
    const fd = openPart(t, node, temporaryName);
    const written = { result: Math.min(fd, 0), call: "openat" };
    const common = { ...noFile(node, announced), fd, temporaryName, isKept: true, written };
    const part = { ...common, isBaseLost: fd < 0 };
    if (fd < 0) return part;
    // It was made for what the file was like then.
    sys.fchmod(fd, firstMode(t, node));
    return { ...part, delta: writer(r, intake, { baseFd: fd, targetFd: fd, isClone: false }) };
  }
  const file = beginLargeFile(t, node, announced);
  if (file.written.result < 0) return file;
  const { targetName } = intake;
  const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
  const baseFd = t.openToRead(node.targetFd, pointer, readFlags);
  if (baseFd < 0) {
    file.written = { result: baseFd, call: "openat" };
    file.isBaseLost = true;
    return file;
  }
  file.baseFd = baseFd;
  const { settled } = intake.base;
  if (settled !== undefined && isStillSettled(t, baseFd, settled)) file.settledBase = settled;
  const isClone = tryReflink(t.paths, baseFd, file.fd);
  const request = file.settledBase?.request;
  file.delta = writer(r, intake, { baseFd, targetFd: file.fd, isClone, request });
  return file;
}

function writer(
  r: Receiver,
  intake: DeltaIntake,
  from: {
    readonly baseFd: number;
    readonly targetFd: number;
    readonly isClone: boolean;
    readonly request?: Uint8Array | undefined;
  },
): DeltaWriter {
  memory ??= deltaWriterMemory();
  const { base, announced } = intake;
  const { coveredBytes, blockBytesLog2 } = base;
  const between = (): number => r.between();
  const { hash } = r;
  const { sizeBytes } = announced;
  const options = { hash, blockBytesLog2, coveredBytes, sizeBytes, between, ...from };
  return new DeltaWriter(options, memory);
}

/** Closes the base, where there is one. */
export function closeBase(file: LargeFile): void {
  if (file.baseFd >= 0) sys.close(file.baseFd);
  file.baseFd = -1;
}
