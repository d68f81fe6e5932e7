import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type DiskUsageResponse_UsageSchema,
  type Entry,
  type EntrySchema,
  type FindRequest,
  type FindRequestSchema,
  type IssueSchema,
  type Issue as WireIssue,
  EntryKind as WireKind,
} from "../control/proto/blit_pb.js";
import { safeNumber } from "../control/wire-values.ts";
import type { Issue } from "../engine/options.ts";
import type { AdminEntry, EntryKind, FindQuery, Usage } from "./types.ts";

/** What the administrative calls say on the wire, and back. Nothing that a peer says is trusted. */

const toWire: Readonly<Record<EntryKind, WireKind>> = {
  file: WireKind.FILE,
  folder: WireKind.FOLDER,
  symlink: WireKind.SYMLINK,
  special: WireKind.SPECIAL,
};

/** latin1 to bytes. */
export function bytesOf(latin1: string): Uint8Array {
  return Buffer.from(latin1, "latin1");
}

/** Bytes to latin1. */
export function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** Seconds since 1970, before it too. @throws {Fault} E_INTEGRITY beyond 2^53 */
function secondsOf(value: bigint): number {
  const isBefore = value < 0n;
  const seconds = safeNumber(isBefore ? -value : value, "a time");
  return isBefore ? -seconds : seconds;
}

export function entryToWire(entry: AdminEntry): MessageInitShape<typeof EntrySchema> {
  return {
    path: bytesOf(entry.path),
    kind: toWire[entry.kind],
    size: BigInt(entry.sizeBytes),
    mtimeSeconds: BigInt(entry.mtimeSec),
    mtimeNanoseconds: entry.mtimeNsec,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    ...(entry.linkTarget === undefined ? {} : { linkTarget: bytesOf(entry.linkTarget) }),
  };
}

export function entryFromWire(entry: Entry): AdminEntry {
  return {
    path: latin1Of(entry.path),
    kind: kindFromWire(entry.kind) ?? "special",
    sizeBytes: safeNumber(entry.size, "a size"),
    mtimeSec: secondsOf(entry.mtimeSeconds),
    mtimeNsec: entry.mtimeNanoseconds,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    linkTarget: entry.linkTarget.length === 0 ? undefined : latin1Of(entry.linkTarget),
  };
}

function kindToWire(kind: EntryKind | undefined): WireKind {
  return kind === undefined ? WireKind.UNSPECIFIED : toWire[kind];
}

function kindFromWire(kind: WireKind): EntryKind | undefined {
  switch (kind) {
    case WireKind.FILE:
      return "file";
    case WireKind.FOLDER:
      return "folder";
    case WireKind.SYMLINK:
      return "symlink";
    case WireKind.SPECIAL:
      return "special";
    default:
      return undefined;
  }
}

export function issueToWire(issue: Issue): MessageInitShape<typeof IssueSchema> {
  const { kind, root, path, code, call, message } = issue;
  return { kind, root, path: bytesOf(path), code, call: call ?? "", message };
}

const issueKinds = ["failed", "vanished", "skipped", "attributes", "warning"] as const;

export function issueFromWire(issue: WireIssue): Issue {
  const kind = issueKinds.find((one) => one === issue.kind) ?? "failed";
  const { root, code, call, message } = issue;
  return { kind, root, path: latin1Of(issue.path), code, call: call || undefined, message };
}

export function usageToWire(usage: Usage): MessageInitShape<typeof DiskUsageResponse_UsageSchema> {
  return {
    path: bytesOf(usage.path),
    bytes: BigInt(usage.bytes),
    diskBytes: BigInt(usage.diskBytes),
    files: BigInt(usage.files),
    folders: BigInt(usage.folders),
  };
}

/** Results that one call of find may have. */
const resultsMaxOfDaemon = 1_000_000;

export function findQueryFromWire(request: FindRequest): FindQuery {
  const { sizeMax, mtimeSinceSeconds, mtimeUntilSeconds } = request;
  const asked = safeNumber(request.resultsMax, "a limit");
  return {
    namePattern: request.namePattern.length === 0 ? undefined : latin1Of(request.namePattern),
    foldsCase: request.foldsCase,
    kind: kindFromWire(request.kind),
    sizeMinBytes: safeNumber(request.sizeMin, "a size"),
    sizeMaxBytes: sizeMax === undefined ? undefined : safeNumber(sizeMax, "a size"),
    mtimeSinceSec: mtimeSinceSeconds === undefined ? undefined : secondsOf(mtimeSinceSeconds),
    mtimeUntilSec: mtimeUntilSeconds === undefined ? undefined : secondsOf(mtimeUntilSeconds),
    resultsMax: asked === 0 ? resultsMaxOfDaemon : Math.min(asked, resultsMaxOfDaemon),
  };
}

/** The request without its place; 0 results mean as many as there are. */
export function findQueryToWire(
  query: FindQuery,
): Omit<MessageInitShape<typeof FindRequestSchema>, "place" | "$typeName"> {
  const { sizeMaxBytes, mtimeSinceSec, mtimeUntilSec, resultsMax } = query;
  return {
    namePattern: bytesOf(query.namePattern ?? ""),
    foldsCase: query.foldsCase,
    kind: kindToWire(query.kind),
    sizeMin: BigInt(query.sizeMinBytes),
    ...(sizeMaxBytes === undefined ? {} : { sizeMax: BigInt(sizeMaxBytes) }),
    ...(mtimeSinceSec === undefined ? {} : { mtimeSinceSeconds: BigInt(mtimeSinceSec) }),
    ...(mtimeUntilSec === undefined ? {} : { mtimeUntilSeconds: BigInt(mtimeUntilSec) }),
    resultsMax: resultsMax === Number.MAX_SAFE_INTEGER ? 0n : BigInt(resultsMax),
  };
}
