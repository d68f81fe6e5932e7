import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  truncateSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { removeTree } from "../../kit/fs/remove-tree.ts";
import { formatBytes } from "../../kit/text/format.ts";
import { recordText } from "../system/record-text.ts";
import type { SystemFile } from "../system/types.ts";
import { OpenTarget } from "./byte-target.ts";
import { composeDisk, type DiskContents } from "./compose.ts";
import { planPartitions } from "./partitions.ts";
import { convertToQcow2 } from "./qcow2.ts";
import { stageSystem } from "./stage-system.ts";
import { type DiskStep, writeDisk } from "./write-disk.ts";

/** What kind of file an image is. */
export type ImageFormat = "raw" | "qcow2";

/** What a system of images is made of, whether in a file or on a disk. */
export interface SystemSource {
  readonly system: SystemFile | undefined;
  /** A folder with a system to begin with. */
  readonly base: string | undefined;
  readonly espBytes: number;
  readonly cacheFolder: string;
  readonly gpgFolder: string | undefined;
  readonly epochSeconds: number | undefined;
  readonly description: string;
}

/** An image to build. */
export interface ImageRequest extends SystemSource {
  readonly output: string;
  readonly format: ImageFormat;
  readonly sizeBytes: number;
  /** Replaces an image that is there already. */
  readonly isForced: boolean;
}

/** What is being done, for progress. */
export type ImageEvent =
  | { readonly kind: "step"; readonly step: "packages" | DiskStep | "conversion" }
  | { readonly kind: "package"; readonly name: string }
  | { readonly kind: "bytes"; readonly done: number; readonly total: number };

/** What an image came to. */
export interface ImageResult {
  readonly contents: DiskContents;
  readonly usedBytes: number;
  readonly notes: readonly string[];
}

/**
 * Builds an image: put together beside its final place, written, and renamed when it is whole. The
 * same input gives the same bytes.
 *
 * @returns without an image when `isDryRun`
 * @throws {Fault} E_REFUSED when there is an image already, E_NO_SPACE with figures; see
 *   {@link stageSystem}, {@link composeDisk}, {@link writeDisk}
 */
export async function buildImage(
  request: ImageRequest,
  options: { readonly isDryRun: boolean; readonly onEvent: (event: ImageEvent) => void },
): Promise<ImageResult> {
  const output = resolve(request.output);
  refuseExisting(output, request);
  using work = createWorkFolder(dirname(output), basename(output));
  const onEvent = (event: ImageEvent): void => {
    work.throwIfInterrupted();
    options.onEvent(event);
  };
  const { contents, notes } = await composeSystem(request, work.path, onEvent);
  if (options.isDryRun) return { contents, usedBytes: 0, notes };
  requireSpace(dirname(output), contents);
  const raw = join(work.path, "disk.raw");
  const usedBytes = await writeRaw(raw, contents, work.path, onEvent);
  let finished = raw;
  if (request.format === "qcow2") {
    onEvent({ kind: "step", step: "conversion" });
    finished = join(work.path, "disk.qcow2");
    convertToQcow2(raw, finished);
  }
  work.throwIfInterrupted();
  refuseExisting(output, request);
  renameSync(finished, output);
  syncFolder(dirname(output));
  return { contents, usedBytes, notes };
}

/** Puts the system together, and thinks its disk through. */
export async function composeSystem(
  source: SystemSource & { readonly sizeBytes: number; readonly seed?: string | undefined },
  workFolder: string,
  onEvent: (event: ImageEvent) => void,
): Promise<{ readonly contents: DiskContents; readonly notes: readonly string[] }> {
  const { system, base, cacheFolder, gpgFolder, epochSeconds } = source;
  // Before anything is fetched.
  planPartitions(source.sizeBytes, source.espBytes);
  onEvent({ kind: "step", step: "packages" });
  const staged = await withPlainUmask(() =>
    stageSystem({ system, base, workFolder, cacheFolder, gpgFolder, epochSeconds }, (name) =>
      onEvent({ kind: "package", name }),
    ),
  );
  const config = system?.config;
  const contents = await composeDisk({
    root: staged.root,
    sizeBytes: source.sizeBytes,
    espBytes: source.espBytes,
    loader: config?.boot.loader ?? "systemd-boot",
    timeoutSeconds: config?.boot.timeout ?? 3,
    commandLine: config?.kernel.cmdline,
    kernel: config?.kernel.package,
    description: source.description,
    system: system === undefined ? undefined : recordText(system),
    epochSeconds,
    seed: source.seed,
  });
  return { contents, notes: [...staged.notes, ...contents.notes] };
}

/** What is put together must not depend on how its builder likes his own files. */
async function withPlainUmask<T>(call: () => Promise<T>): Promise<T> {
  const before = process.umask(0o022);
  try {
    return await call();
  } finally {
    process.umask(before);
  }
}

async function writeRaw(
  path: string,
  contents: DiskContents,
  workFolder: string,
  onEvent: (event: ImageEvent) => void,
): Promise<number> {
  using target = new OpenTarget(path, true);
  truncateSync(path, contents.layout.sizeBytes);
  const total = contents.btrfs.dataBytes;
  let done = 0;
  const summary = await writeDisk(target, contents, {
    workFolder,
    onStep: (step) => onEvent({ kind: "step", step }),
    onBytes: (bytes) => {
      done += bytes;
      onEvent({ kind: "bytes", done, total });
    },
  });
  return summary.usedBytes;
}

function refuseExisting(output: string, request: ImageRequest): void {
  let names: readonly string[];
  try {
    names = readdirSync(dirname(output));
  } catch (error) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot write "${output}": ${reasonOf(error)}`,
    });
  }
  if (!names.includes(basename(output))) return;
  if (!lstatSync(output).isFile()) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot write "${output}": it is no file`,
      hint: "rastos image install puts a system onto a disk",
    });
  }
  if (request.isForced) return;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot write "${output}": there is something of that name`,
    hint: "--force replaces it",
  });
}

/** Zeros are not written: what counts is what goes in, and twice that for QCOW2. */
function requireSpace(folder: string, contents: DiskContents): void {
  const { bavail, bsize } = statfsSync(folder);
  const freeBytes = bavail * bsize;
  const boot = contents.bootFiles.all.reduce((sum, [, { length }]) => sum + length, 0);
  const needBytes = contents.btrfs.dataBytes + 2 * boot + RESERVE_BYTES;
  if (freeBytes >= needBytes) return;
  throw new Fault({
    code: "E_NO_SPACE",
    message:
      `Cannot write an image of ${formatBytes(needBytes)} to "${folder}": ` +
      `${formatBytes(freeBytes)} are free`,
    hint: "make room, or name another place by --output",
    details: { needBytes, freeBytes },
  });
}

const RESERVE_BYTES = 64 * 1024 ** 2;

/** A folder for what is not finished; goes with its scope, or at the next build. */
export interface WorkFolder extends Disposable {
  readonly path: string;
  /** @throws {Fault} E_INTERRUPTED, E_TERMINATED once a signal has come */
  throwIfInterrupted(): void;
}

/** Makes one beside the image, so that finishing is a rename; removes those of dead builds. */
export function createWorkFolder(folder: string, name: string): WorkFolder {
  const prefix = `.${name}.work-`;
  try {
    for (const old of readdirSync(folder)) {
      const pid = old.startsWith(prefix) ? /^\d+/.exec(old.slice(prefix.length))?.[0] : undefined;
      if (pid !== undefined && !isAlive(Number(pid))) removeTree(join(folder, old));
    }
    const path = mkdtempSync(join(folder, `${prefix}${process.pid}-`));
    const interruption = new Interruption(path);
    return {
      path,
      throwIfInterrupted: () => interruption.throwIfReceived(),
      [Symbol.dispose]() {
        interruption.close();
        rmSync(path, { recursive: true, force: true });
      },
    };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Fault({
      code: code === "EACCES" || code === "EPERM" ? "E_PRIVILEGE" : "E_IO",
      message: `Cannot write to "${folder}": ${reasonOf(error)}`,
      hint: "name another place by --output",
    });
  }
}

/**
 * Ctrl-C ends the work at its next event, as a failure that cleans up after itself; a second one
 * ends it at once.
 */
class Interruption {
  readonly #path: string;
  #fault: Fault | undefined;
  readonly #handlers = SIGNALS.map((signal) => [signal, () => this.#receive(signal)] as const);

  constructor(path: string) {
    this.#path = path;
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  throwIfReceived(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  close(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  #receive(signal: (typeof SIGNALS)[number]): void {
    if (this.#fault !== undefined) {
      rmSync(this.#path, { recursive: true, force: true });
      process.kill(process.pid, "SIGKILL");
    }
    this.#fault = new Fault({
      code: signal === "SIGINT" ? "E_INTERRUPTED" : "E_TERMINATED",
      message: "Interrupted: what was not finished is gone",
    });
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Makes the new name last through a power cut. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
