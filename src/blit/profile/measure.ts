import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { formatBytes } from "../../kit/text/format.ts";
import type { TransferRequest } from "../engine/prepare.ts";
import { transfer } from "../engine/transfer.ts";
import { ports } from "../ports.ts";

/** One thing that was done and how long it took. */
export type ProfileStep = {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  readonly seconds: number;
};

export type MeasureOptions = {
  /** latin1 */
  readonly folder: string;
  readonly largeBytes: number;
  readonly smallFiles: number;
  readonly onStep: (step: ProfileStep) => void;
};

const smallBytes = 4096;
const filesPerFolder = 500;
const chunkBytes = 1 << 20;
/** Copies and some room beside them. */
const roomFactor = 2.5;

/**
 * Measures how fast files are made, copied and compared in a folder. What it makes lies in a folder
 * of its own there and is removed in the end, whatever happens.
 *
 * @throws {Fault} E_NO_SPACE where there is not room enough; E_NOT_FOUND, E_IO
 */
export async function measure(options: MeasureOptions): Promise<ProfileStep[]> {
  const { folder, largeBytes, smallFiles, onStep } = options;
  const parent = Buffer.from(folder, "latin1").toString();
  refuseFull(parent, largeBytes + smallFiles * smallBytes);
  const scratch = attempt("measure in", parent, () => mkdtempSync(join(parent, ".blit-profile-")));
  const steps: ProfileStep[] = [];
  const timed = async (
    name: string,
    counts: { files: number; bytes: number },
    work: () => void | Promise<void>,
  ): Promise<void> => {
    const startMs = performance.now();
    await work();
    const step = { name, ...counts, seconds: (performance.now() - startMs) / 1000 };
    steps.push(step);
    onStep(step);
  };
  const small = { files: smallFiles, bytes: smallFiles * smallBytes };
  const large = { files: 1, bytes: largeBytes };
  try {
    const at = (name: string): string => join(scratch, name);
    await timed("make a large file", large, () => makeLarge(at("large"), largeBytes));
    await timed("copy the large file", large, () => copy(`${at("large")}/`, at("large-copy")));
    await timed("make small files", small, () => makeSmall(at("small"), smallFiles));
    await timed("copy small files", small, () => copy(`${at("small")}/`, at("small-copy")));
    await timed("find small files equal", small, () => copy(`${at("small")}/`, at("small-copy")));
    await timed("remove everything", { files: 2 * (smallFiles + 1), bytes: 0 }, () =>
      rmSync(scratch, { recursive: true }),
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return steps;
}

function refuseFull(folder: string, bytes: number): void {
  const { bavail, bsize } = attempt("measure in", folder, () => statfsSync(folder));
  const needed = bytes * roomFactor;
  if (bavail * bsize >= needed) return;
  throw new Fault({
    code: "E_NO_SPACE",
    message: `Cannot measure in "${folder}": it takes ${formatBytes(needed)} for the moment`,
    hint: "--size-mib and --files make it less",
  });
}

/** Bytes that no file system makes less of. */
function makeLarge(folder: string, bytes: number): void {
  mkdirSync(folder);
  const chunk = new Uint8Array(chunkBytes);
  for (let at = 0; at < chunkBytes; at += 65_536) {
    crypto.getRandomValues(chunk.subarray(at, at + 65_536));
  }
  const fd = openSync(join(folder, "file"), "wx");
  try {
    for (let done = 0; done < bytes; ) {
      done += writeSync(fd, chunk, 0, Math.min(chunkBytes, bytes - done));
    }
  } finally {
    closeSync(fd);
  }
}

function makeSmall(folder: string, count: number): void {
  const content = new Uint8Array(smallBytes);
  mkdirSync(folder);
  for (let index = 0; index < count; index += 1) {
    const below = join(folder, String(Math.floor(index / filesPerFolder)));
    if (index % filesPerFolder === 0) mkdirSync(below);
    crypto.getRandomValues(content);
    writeFileSync(join(below, `file-${index}`), content);
  }
}

async function copy(source: string, target: string): Promise<void> {
  const latin1 = (path: string): string => Buffer.from(path).toString("latin1");
  const request: TransferRequest = {
    command: "copy",
    purpose: "transfer",
    sources: [latin1(source)],
    target: latin1(target),
    comparison: "time",
    ignoreExisting: false,
    update: false,
    xattrs: true,
    owner: true,
    specials: false,
    filter: undefined,
    backupDir: undefined,
    yes: false,
    maxDelete: undefined,
    allowEmptySource: false,
    chooseStrategy: () => "buffered",
  };
  const { issues } = await transfer(request, {
    createWorker: ports.createCopyWorker,
    workerCount: Math.min(8, Math.max(2, navigator.hardwareConcurrency)),
    inlineMs: 10,
    confirmDeletion: async () => false,
    isWorthWorkers: () => true,
    onBeat: () => {},
    onTotals: undefined,
    onWaiting: () => {},
    onStart: () => {},
    nowMs: () => performance.now(),
  });
  const [issue] = issues;
  if (issue !== undefined) throw new Fault({ code: "E_IO", message: issue.message });
}

function attempt<T>(action: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Fault({
      code: isMissing ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot ${action} "${path}": ${reasonOf(error)}`,
    });
  }
}
