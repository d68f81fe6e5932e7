/** From an answer of an index to the page as it is kept: on any thread. */
import type { FaultJson } from "../../kit/fault/fault.ts";
import type { CacheFolder } from "./cache-folder.ts";
import { encodePage, type PageHead } from "./digest.ts";
import { type PageAnswer, readPage } from "./page-reader.ts";
import { groupByVersion } from "./release-files.ts";

/** What is to be made of an answer: plain data. */
export interface PageJob {
  readonly head: PageHead;
  /** Undefined: the index does not know the name. */
  readonly answer: PageAnswer | undefined;
  /** Where the page is kept; undefined: nowhere. */
  readonly path: string | undefined;
}

/** A page, made and kept. */
export interface MadePage {
  /** As `decodePage` reads them. */
  readonly bytes: Uint8Array;
  /** Of the file in the cache; undefined where there is none. */
  readonly stamp: string | undefined;
}

/** To a thread that makes pages. */
export type ToPageWorker =
  /** The first: the folder of the cache. */
  | { readonly kind: "open"; readonly cacheFolder: string }
  | { readonly kind: "page"; readonly id: number; readonly job: PageJob }
  /** Adds a line to a file of the cache. */
  | { readonly kind: "append"; readonly path: string; readonly text: string }
  /** Asks for "done" when all that came before is done. */
  | { readonly kind: "finish" };

/** From such a thread. */
export type FromPageWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "page"; readonly id: number; readonly page: MadePage }
  | { readonly kind: "fault"; readonly id: number; readonly fault: FaultJson }
  | { readonly kind: "done" }
  | { readonly kind: "warning"; readonly text: string; readonly hint: string | undefined };

/**
 * Reads an answer, and keeps what it says.
 *
 * @throws {Fault} E_NETWORK for what is no page
 */
export function makePage(
  { head, answer, path }: PageJob,
  cache: CacheFolder,
  warn: (text: string) => void,
): MadePage {
  const files = answer === undefined ? [] : readPage(answer, warn).files;
  const bytes = encodePage(head, groupByVersion(head.name, files));
  return { bytes, stamp: path === undefined ? undefined : cache.write(path, bytes) };
}
