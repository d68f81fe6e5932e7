import { type Dirent, readdirSync } from "node:fs";
import { btrfsCalls } from "../../../ffi/btrfs/calls.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { callFault } from "./fault.ts";
import { idOfName, PARTS, type Part, partFolder, partPath, unfinishedOf } from "./layout.ts";
import { partOwner } from "./part-place.ts";
import {
  type FoundParts,
  type InspectedRoot,
  planRecovery,
  type TreePlan,
} from "./plan-recovery.ts";
import { nameBeside, readRecord, type SnapshotRecord } from "./record.ts";
import { readStateFile } from "./state.ts";
import { openFolder } from "./subvolume.ts";
import type { SystemState } from "./types.ts";

/** How the tree at `top` is, without changing or locking anything. @throws {Fault} E_NOT_FOUND */
export function readTree(top: string): SystemState {
  return findTree(top, readStateFile(top)).state;
}

/**
 * Looks at the folders of a tree.
 *
 * @param stored the state as it was written, or undefined to go by the subvolumes alone
 * @throws {Fault} E_NOT_FOUND where there is no tree
 */
export function findTree(top: string, stored: SystemState | undefined): TreePlan {
  const parts = listParts(top);
  const known = new Set(stored?.snapshots.map(({ id }) => id));
  const inspected = new Map<number, InspectedRoot>();
  using folder = openFolder(partFolder(top, "root"));
  for (const id of parts.ids.root) {
    if (known.has(id)) continue;
    const record = readRecord(folder.number, nameBeside(id));
    const isWhole = (["etc", "var"] as const).every((part) => {
      return parts.ids[part].has(id) && parts.own[part].has(partOwner(top, part, id));
    });
    inspected.set(id, { ...inspectRoot(partPath(top, "root", id), record), isWhole });
  }
  return planRecovery({ stored, parts, inspected });
}

/** What the folders of a tree list. */
interface ListedParts extends FoundParts {
  /** Those that are no links to others. */
  readonly own: Readonly<Record<Part, ReadonlySet<number>>>;
}

function listParts(top: string): ListedParts {
  const unfinished: FoundParts["unfinished"][number][] = [];
  const ids: Record<Part, Set<number>> = { root: new Set(), etc: new Set(), var: new Set() };
  const own: Record<Part, Set<number>> = { root: new Set(), etc: new Set(), var: new Set() };
  for (const part of PARTS) {
    for (const entry of entriesIn(top, part)) {
      const { name } = entry;
      const id = idOfName(part, name);
      if (id !== undefined) ids[part].add(id);
      if (id !== undefined && entry.isDirectory()) own[part].add(id);
      const rest = unfinishedOf(name);
      if (rest !== undefined) unfinished.push({ part, name, ...rest });
    }
  }
  return { ids, own, unfinished };
}

function entriesIn(top: string, part: Part): Dirent[] {
  const folder = partFolder(top, part);
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES") {
      throw new Fault({
        code: "E_PRIVILEGE",
        message: `Cannot read "${folder}": permission denied`,
        hint: "snapshots need root: run it with sudo",
      });
    }
    if (code !== "ENOENT") {
      throw new Fault({
        code: "E_IO",
        message: `Cannot read "${folder}": ${reasonOf(error)}`,
      });
    }
    throw noTree(top);
  }
}

/** The fault for a top level that has no tree yet. */
export function noTree(top: string): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find a snapshot tree in "${top}"`,
    hint: "`rastos snapshot create` makes the first snapshot, number 0",
  });
}

/**
 * What the root of a snapshot says of itself.
 *
 * @param beside the record of it that lies beside it: then the one in it is another's
 * @throws {Fault}
 */
function inspectRoot(
  path: string,
  beside: SnapshotRecord | undefined,
): Omit<InspectedRoot, "isWhole"> {
  using fd = openFolder(path);
  const info = btrfsCalls().info(fd.number);
  if (typeof info === "number") throw callFault(`read the subvolume "${path}"`, info);
  const { isReadOnly, uuid, createdMs } = info;
  // A clone has inherited that from what was received; the record beside it is ours all the same.
  const isReceived = info.receivedUuid !== "" && beside === undefined;
  return { isReadOnly, uuid, createdMs, isReceived, record: beside ?? readRecord(fd.number) };
}
