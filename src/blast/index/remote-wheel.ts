/** The METADATA of a wheel that stays where it is: a few ranges of its bytes (PEP 427). */
import type { HttpResponse } from "../../kit/http/body.ts";
import type { HttpClient } from "../../kit/http/client.ts";
import { parseContentRange } from "../../kit/http/content-range.ts";
import { HttpFailure } from "../../kit/http/failure.ts";
import type { Ticket } from "../../kit/http/limiter.ts";
import type { RemoteByteSource } from "../wheel/zip.ts";

/** The server does not give ranges, or not in a way to rely on. */
export class NoRanges extends Error {}

/** The directory of most wheels and the METADATA, which stands last, fit into this. */
const TAIL_BYTES = 32 * 1024;
const TAIL_BYTES_MAX = 512 * 1024;
/** Large wheels have many members, and each has its line in the directory. */
const TAIL_SHARE = 256;
/** Asked for beyond what is needed: METADATA stands before the directory, but for RECORD. */
const SLACK_BYTES = 16 * 1024;
/** RECORD, packed, against the directory: a hash for each member, which does not pack well. */
const RECORD_SHARE = 0.75;

/** An archive on a server, as far as it has been fetched. */
export class RemoteArchive implements RemoteByteSource {
  readonly label: string;
  readonly sizeBytes: number;
  readonly #fetch: (range: string) => Promise<Piece>;
  /** From some offset to the end. */
  #tail: Uint8Array;
  /** ETag of the first answer: all have to be of the same file. */
  readonly #etag: string | null;

  private constructor(label: string, first: Piece, fetch: (range: string) => Promise<Piece>) {
    this.label = label;
    this.sizeBytes = first.sizeBytes;
    this.#tail = first.bytes;
    this.#etag = first.etag;
    this.#fetch = fetch;
  }

  /**
   * Fetches the end of an archive.
   *
   * @param sizeBytes if it is known
   * @throws {NoRanges}
   * @throws {HttpFailure}
   */
  static async open(
    http: HttpClient,
    file: { readonly url: string; readonly filename: string; readonly sizeBytes?: number },
    ticket: Ticket,
  ): Promise<RemoteArchive> {
    const { filename, sizeBytes, url } = file;
    const fetch = (range: string): Promise<Piece> => fetchRange(http, url, range, ticket);
    const share = Math.ceil((sizeBytes ?? 0) / TAIL_SHARE);
    const tailBytes = Math.min(TAIL_BYTES + share, TAIL_BYTES_MAX);
    const isWhole = sizeBytes !== undefined && sizeBytes <= tailBytes;
    const range = isWhole ? "bytes=0-" : `bytes=-${tailBytes}`;
    const first = await fetch(range);
    if (first.start + first.bytes.length !== first.sizeBytes) throw new NoRanges();
    if (sizeBytes !== undefined && sizeBytes !== first.sizeBytes) throw new NoRanges();
    return new RemoteArchive(filename, first, fetch);
  }

  async read(offset: number, lengthBytes: number): Promise<Uint8Array> {
    if (offset < this.#tailStart) await this.#extend(offset, lengthBytes);
    const start = offset - this.#tailStart;
    if (start >= 0) return this.#tail.subarray(start, start + lengthBytes);
    // Far before the tail: on its own, so that what lies between is not fetched.
    const piece = await this.#piece(offset, lengthBytes);
    return piece.bytes;
  }

  get #tailStart(): number {
    return this.sizeBytes - this.#tail.length;
  }

  /** Fetches what lies before the tail, unless that would be much more than is wanted. */
  async #extend(offset: number, lengthBytes: number): Promise<void> {
    const gapBytes = this.#tailStart - (offset + lengthBytes);
    if (gapBytes > SLACK_BYTES) return;
    const recordBytes = Math.ceil((this.sizeBytes - offset) * RECORD_SHARE);
    const start = Math.max(0, offset - SLACK_BYTES - recordBytes);
    const piece = await this.#piece(start, this.#tailStart - start);
    this.#tail = Buffer.concat([piece.bytes, this.#tail]);
  }

  async #piece(offset: number, lengthBytes: number): Promise<Piece> {
    const piece = await this.#fetch(`bytes=${offset}-${offset + lengthBytes - 1}`);
    const isSame = piece.sizeBytes === this.sizeBytes && piece.etag === this.#etag;
    if (!isSame || piece.start !== offset || piece.bytes.length !== lengthBytes) {
      throw new NoRanges();
    }
    return piece;
  }
}

interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly sizeBytes: number;
  readonly etag: string | null;
}

/** What servers answer that do not know ranges, or not this kind. */
const REFUSALS = new Set([400, 405, 416, 501]);

async function fetchRange(
  http: HttpClient,
  url: string,
  range: string,
  ticket: Ticket,
): Promise<Piece> {
  const request = { url, verbatim: true, headers: { Range: range }, accept: [...REFUSALS] };
  return await http.perform(() => request, readPiece, ticket);
}

async function readPiece(response: HttpResponse): Promise<Piece> {
  const { headers, status, url } = response;
  const range = parseContentRange(headers.get("content-range"));
  if (status !== 206 || range?.sizeBytes === undefined || headers.has("content-encoding")) {
    await response.discard();
    throw new NoRanges();
  }
  const lengthBytes = range.end - range.start;
  const bytes = await response.bytes(lengthBytes);
  if (bytes.length !== lengthBytes) {
    throw new HttpFailure({ kind: "broken", url, reason: "the answer ended too early" });
  }
  return { start: range.start, bytes, sizeBytes: range.sizeBytes, etag: headers.get("etag") };
}
