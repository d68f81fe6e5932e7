import type { Base } from "../session/types.ts";
import { diskUsage } from "./disk-usage.ts";
import { filesystemStats } from "./filesystem-stats.ts";
import { find } from "./find.ts";
import { listPlace } from "./list.ts";
import { purge } from "./purge.ts";
import type {
  EntryChunk,
  FilesystemStats,
  FindChunk,
  FindQuery,
  PurgeChunk,
  PurgeQuery,
  UsageChunk,
} from "./types.ts";

/** A question as plain data, for this thread or another. */
export type AdminRequest =
  | { readonly call: "list"; readonly path: string; readonly isEntryItself: boolean }
  | { readonly call: "find"; readonly path: string; readonly query: FindQuery }
  | { readonly call: "usage"; readonly path: string; readonly depth: number }
  | { readonly call: "stats"; readonly path: string }
  | { readonly call: "purge"; readonly query: PurgeQuery };

/** What each of them is answered with, part by part. */
export type AdminAnswers = {
  readonly list: EntryChunk;
  readonly find: FindChunk;
  readonly usage: UsageChunk;
  readonly stats: FilesystemStats;
  readonly purge: PurgeChunk;
};

/** A part of any answer. */
export type AdminChunk = AdminAnswers[keyof AdminAnswers];

/**
 * Does what a request says, a bounded amount of work between two yields; `undefined` is only a turn
 * for the event loop.
 *
 * @throws {Fault} while it runs
 */
export function answer<Request extends AdminRequest>(
  base: Base,
  request: Request,
): Generator<AdminAnswers[Request["call"]] | undefined>;
export function answer(base: Base, request: AdminRequest): Generator<AdminChunk | undefined> {
  switch (request.call) {
    case "list":
      return listPlace(base, request.path, request.isEntryItself);
    case "find":
      return find(base, request.path, request.query);
    case "usage":
      return diskUsage(base, request.path, request.depth);
    case "stats":
      return one(() => filesystemStats(base, request.path));
    case "purge":
      return purge(base, request.query);
  }
}

function* one<Result>(call: () => Result): Generator<Result> {
  yield call();
}
