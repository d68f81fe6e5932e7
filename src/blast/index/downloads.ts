/** Whole files: fetched once, checked while they arrive, kept by their hash. */
import {
  accessSync,
  closeSync,
  constants,
  createReadStream,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import type { HttpResponse } from "../../kit/http/body.ts";
import type { HttpRequest } from "../../kit/http/client.ts";
import { parseContentRange } from "../../kit/http/content-range.ts";
import { HttpFailure } from "../../kit/http/failure.ts";
import type { Ticket } from "../../kit/http/limiter.ts";
import type { Hashes } from "../resolve/port.ts";
import { removeQuietly, temporaryPath } from "./cache-folder.ts";
import { hashFault, networkFault, offlineFault } from "./faults.ts";
import { FileHashes } from "./file-hashes.ts";
import type { PageContext } from "./page-store.ts";

/** What is to be fetched. */
export interface WantedFile {
  /** http, https or file; without credentials. */
  readonly url: string;
  readonly filename: string;
  readonly hashes: Hashes;
  /** In bytes. */
  readonly size?: number;
}

/** A file that is here now. */
export interface Download {
  readonly path: string;
  readonly sha256: string;
}

/** Told of what has arrived; starts anew if the file has to. */
export type OnBytes = (doneBytes: number, totalBytes: number | undefined) => void;

/** Larger than anything that is published. */
const FILE_BYTES_MAX = 64 * 1024 ** 3;

const ATTEMPTS_MAX = 3;

/** @see {@link WantedFile} */
export class Downloads {
  readonly #context: PageContext;
  readonly #folder: string;
  readonly #running = new Map<string, Promise<Download>>();
  /** Where files go that may not be kept. */
  #scratch: string | undefined;

  constructor(context: PageContext) {
    this.#context = context;
    this.#folder = context.cache.pathOf("files-v1");
  }

  /** The file if it is here already. */
  find(file: WantedFile): Download | undefined {
    const sha256 = file.hashes["sha256"];
    if (sha256 === undefined || this.#context.noCache) return undefined;
    const path = this.#place(this.#folder, sha256, file.filename);
    const sizeBytes = sizeOf(path);
    const isGood = sizeBytes !== undefined && (file.size ?? sizeBytes) === sizeBytes;
    return isGood ? { path, sha256 } : undefined;
  }

  /**
   * The file, fetched if need be. A local one stays where it is.
   *
   * @throws {Fault} E_NETWORK, E_INTEGRITY (nothing is kept then), E_NO_SPACE, E_IO, E_NOT_FOUND
   */
  fetch(file: WantedFile, ticket: Ticket, onBytes?: OnBytes): Promise<Download> {
    const key = `${file.url} ${JSON.stringify(file.hashes)}`;
    const known = this.#running.get(key);
    if (known === undefined) return this.#begin(key, file, ticket, onBytes);
    return known.then((download) => {
      if (sizeOf(download.path) !== undefined) return download;
      // It was unpacked and is gone, perhaps by another process.
      return this.#begin(key, file, ticket, onBytes);
    });
  }

  #begin(key: string, file: WantedFile, ticket: Ticket, onBytes?: OnBytes): Promise<Download> {
    const running = this.#start(file, ticket, onBytes);
    this.#running.set(key, running);
    // A failure may pass: the next one who asks gets a new try.
    running.catch(() => this.#running.delete(key));
    return running;
  }

  /** Removes what was only for this run. */
  close(): void {
    if (this.#scratch !== undefined) rmSync(this.#scratch, { recursive: true, force: true });
    this.#scratch = undefined;
  }

  async #start(file: WantedFile, ticket: Ticket, onBytes?: OnBytes): Promise<Download> {
    if (file.url.startsWith("file:")) return await readLocal(file, onBytes);
    const found = this.find(file);
    if (found !== undefined) return found;
    if (this.#context.offline) throw offlineFault(`"${file.filename}"`);
    for (let attempt = 1; ; attempt += 1) {
      const folder = this.#writableFolder();
      const temporary = temporaryPath(join(folder, file.filename));
      try {
        const sha256 = await this.#receive(file, temporary, ticket, onBytes);
        const path = this.#place(folder, sha256, file.filename);
        mkdirSync(dirname(path), { recursive: true });
        renameSync(temporary, path);
        return { path, sha256 };
      } catch (error) {
        removeQuietly(temporary);
        // Somebody has emptied the cache.
        const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
        if (isGone && attempt < ATTEMPTS_MAX) continue;
        throw networkFault(writeFault(error, folder), `fetch "${file.filename}"`);
      }
    }
  }

  async #receive(
    file: WantedFile,
    temporary: string,
    ticket: Ticket,
    onBytes: OnBytes | undefined,
  ): Promise<string> {
    const { http } = this.#context;
    const fd = openSync(temporary, "wx", 0o600);
    try {
      const transfer = new Transfer(file, fd, onBytes);
      return await http.perform(
        () => transfer.request(),
        (response) => transfer.receive(response),
        ticket,
      );
    } finally {
      closeSync(fd);
    }
  }

  #place(folder: string, sha256: string, filename: string): string {
    return join(folder, sha256.slice(0, 2), sha256, filename);
  }

  #writableFolder(): string {
    if (!this.#context.noCache && this.#scratch === undefined) {
      try {
        mkdirSync(this.#folder, { recursive: true });
        accessSync(this.#folder, constants.W_OK);
        return this.#folder;
      } catch {
        // Told by the cache itself; for this run the temporary folder of the system serves.
      }
    }
    this.#scratch ??= mkdtempSync(join(tmpdir(), "blast-"));
    return this.#scratch;
  }
}

/** One file on its way, over as many requests as it takes. */
class Transfer {
  readonly #file: WantedFile;
  readonly #fd: number;
  readonly #onBytes: OnBytes | undefined;
  #hashes: FileHashes;
  #doneBytes = 0;
  /** A strong one: what is here is the beginning of that very file. */
  #etag: string | undefined;

  constructor(file: WantedFile, fd: number, onBytes: OnBytes | undefined) {
    this.#file = file;
    this.#fd = fd;
    this.#onBytes = onBytes;
    this.#hashes = new FileHashes(file.hashes);
  }

  request(): HttpRequest {
    const { url } = this.#file;
    if (this.#doneBytes === 0 || this.#etag === undefined) return { url, verbatim: true };
    const headers = { Range: `bytes=${this.#doneBytes}-`, "If-Range": this.#etag };
    return { url, verbatim: true, headers, accept: [416] };
  }

  /** @returns the SHA-256 */
  async receive(response: HttpResponse): Promise<string> {
    const { headers, status, url } = response;
    const range = parseContentRange(headers.get("content-range"));
    const goesOn = status === 206 && range?.start === this.#doneBytes;
    if (!goesOn) this.#restart();
    if (status !== 200 && !goesOn) {
      await response.discard();
      const reason = "the rest of the file could not be had";
      throw new HttpFailure({ kind: "broken", url, reason });
    }
    const etag = headers.get("etag");
    this.#etag = etag === null || etag.startsWith("W/") ? undefined : etag;
    const length = Number(headers.get("content-length") ?? Number.NaN);
    const totalBytes = Number.isNaN(length) ? this.#file.size : this.#doneBytes + length;
    this.#checkSize(totalBytes ?? 0, url);
    for await (const chunk of response.chunks()) {
      this.#checkSize(this.#doneBytes + chunk.length, url);
      writeAll(this.#fd, chunk, this.#doneBytes);
      this.#hashes.update(chunk);
      this.#doneBytes += chunk.length;
      this.#onBytes?.(this.#doneBytes, totalBytes);
    }
    if (totalBytes !== undefined && this.#doneBytes < totalBytes && !Number.isNaN(length)) {
      throw new HttpFailure({ kind: "broken", url, reason: "the file ended too early" });
    }
    return this.#finish(url);
  }

  #finish(url: string): string {
    const { filename, size } = this.#file;
    const host = URL.parse(url)?.host ?? url;
    const wrong = this.#hashes.mismatch();
    if (wrong !== undefined) {
      throw hashFault(`"${filename}"`, wrong.name, wrong.expected, wrong.got, host);
    }
    if (size !== undefined && size !== this.#doneBytes) {
      throw hashFault(`"${filename}"`, "size", `${size}`, `${this.#doneBytes}`, host);
    }
    return this.#hashes.sha256();
  }

  #checkSize(bytes: number, url: string): void {
    const bytesMax = this.#file.size ?? FILE_BYTES_MAX;
    if (bytes <= bytesMax) return;
    const host = URL.parse(url)?.host ?? url;
    const name = `"${this.#file.filename}"`;
    throw hashFault(name, "size", `${bytesMax}`, `${bytes} or more`, host);
  }

  #restart(): void {
    if (this.#doneBytes === 0) return;
    ftruncateSync(this.#fd, 0);
    this.#doneBytes = 0;
    this.#hashes = new FileHashes(this.#file.hashes);
  }
}

async function readLocal(file: WantedFile, onBytes: OnBytes | undefined): Promise<Download> {
  const path = Bun.fileURLToPath(file.url);
  const hashes = new FileHashes(file.hashes);
  const totalBytes = sizeOf(path);
  let doneBytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
      hashes.update(chunk as Uint8Array);
      doneBytes += (chunk as Uint8Array).length;
      onBytes?.(doneBytes, totalBytes);
    }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Fault({
      code: isMissing ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot read "${path}": ${reasonOf(error)}`,
    });
  }
  const wrong = hashes.mismatch();
  if (wrong !== undefined) {
    throw hashFault(`"${file.filename}"`, wrong.name, wrong.expected, wrong.got, dirname(path));
  }
  return { path, sha256: hashes.sha256() };
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size;
  } catch {
    return undefined;
  }
}

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

/** What the file system refused, as a fault; anything else as it is. */
function writeFault(error: unknown, folder: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof Fault || error instanceof HttpFailure || syscall === undefined) return error;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return new Fault({
    code: isFull ? "E_NO_SPACE" : "E_IO",
    message: `Cannot write to "${folder}": ${reasonOf(error)}`,
    hint:
      (isFull ? "make room, or free what is not used any more with: blast clean; " : "") +
      "another folder can be set with [cache] cache_dir",
    cause: error,
  });
}
