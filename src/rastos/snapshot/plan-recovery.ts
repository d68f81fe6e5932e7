import { PARTS, type Part, partName } from "./layout.ts";
import type { SnapshotRecord } from "./record.ts";
import { EMPTY_STATE } from "./state.ts";
import type { Snapshot, SystemState } from "./types.ts";

/** The parts of all snapshots, as their folders list them. */
export interface FoundParts {
  readonly ids: Readonly<Record<Part, ReadonlySet<number>>>;
  /** Names such as `.new-7` and `.del-7`. */
  readonly unfinished: readonly {
    readonly part: Part;
    readonly name: string;
    readonly kind: "new" | "del";
    readonly id: number;
  }[];
}

/** A root that the state does not list yet. */
export interface InspectedRoot {
  /** Its etc and var are there, its own or an ancestor's. */
  readonly isWhole: boolean;
  readonly isReadOnly: boolean;
  readonly record: SnapshotRecord | undefined;
  readonly uuid: string;
  readonly createdMs: number;
  /** Its record is another machine's, whatever number it names. */
  readonly isReceived: boolean;
}

/** How a tree really is, and what is to be done about what an interrupted run has left. */
export interface TreePlan {
  readonly state: SystemState;
  /** Whether the state must be written before anything is removed. */
  readonly mustWrite: boolean;
  readonly remove: readonly { readonly part: Part; readonly name: string }[];
  /** Whole snapshots, made by others, that still need to become read-only. */
  readonly seal: readonly number[];
  /** What nobody but a person can decide. */
  readonly issues: readonly string[];
}

/** Snapshots that the state need not list yet: each of them is looked at by every run. */
const UNWRITTEN_MAX = 12;

/**
 * Brings the state and the subvolumes together. A snapshot counts when all its parts are there, its
 * root is read-only and its record names it: the last step of making one. What is called `.del-N`
 * has been removed: the first step of removing one. Pure.
 *
 * @param stored undefined where there is no state: then nothing is taken for a leftover
 */
export function planRecovery(options: {
  readonly stored: SystemState | undefined;
  readonly parts: FoundParts;
  readonly inspected: ReadonlyMap<number, InspectedRoot>;
}): TreePlan {
  const { stored, parts, inspected } = options;
  const before = stored ?? EMPTY_STATE;
  const remove = parts.unfinished.map(({ part, name }) => ({ part, name }));
  const dropped = new Set(
    parts.unfinished.flatMap(({ part, kind, id }) => (part === "root" && kind === "del" ? id : [])),
  );
  const issues: string[] = [];
  const kept = before.snapshots.filter(({ id }) => parts.ids.root.has(id));
  for (const { id } of before.snapshots) {
    if (!parts.ids.root.has(id) && !dropped.has(id)) issues.push(`Snapshot ${id} is gone`);
  }
  const adopted: Snapshot[] = [];
  const seal: number[] = [];
  const own = new Set(kept.map(({ id }) => id));
  const idMax = Math.max(-1, ...PARTS.flatMap((part) => [...parts.ids[part]]), ...dropped);
  for (const id of [...parts.ids.root].sort((a, b) => a - b)) {
    const root = inspected.get(id);
    if (own.has(id) || root === undefined) continue;
    const verdict = verdictOn(root, { id, next: stored?.nextSnapshot });
    if (verdict === "leftover") remove.push({ part: "root", name: partName("root", id) });
    if (verdict === "unclear") issues.push(`Snapshot ${id} is not whole, and was left alone`);
    if (verdict === "seal") seal.push(id);
    if (verdict === "whole" || verdict === "seal") adopted.push(snapshotOf(id, root));
  }
  const counts = new Set([...own, ...adopted.map(({ id }) => id)]);
  for (const part of ["etc", "var"] as const) {
    for (const id of parts.ids[part]) {
      const isLost = stored !== undefined && id >= stored.nextSnapshot && !counts.has(id);
      const isIssue = issues.some((issue) => issue.startsWith(`Snapshot ${id} `));
      if ((isLost && !isIssue) || (dropped.has(id) && !counts.has(id))) {
        remove.push({ part, name: partName(part, id) });
      }
    }
  }
  const snapshots = [...kept, ...adopted].sort((a, b) => a.id - b.id);
  const nextSnapshot = Math.max(before.nextSnapshot, idMax + 1);
  return {
    state: { ...before, snapshots, nextSnapshot },
    mustWrite:
      stored === undefined ||
      dropped.size > 0 ||
      kept.length < before.snapshots.length ||
      adopted.length > UNWRITTEN_MAX,
    // A root that has gone says until the end that its etc and var are nobody's.
    remove: [...remove.filter(notRoot), ...remove.filter((one) => !notRoot(one))],
    seal,
    issues,
  };
}

function notRoot({ part }: { readonly part: Part }): boolean {
  return part !== "root";
}

type Verdict = "whole" | "seal" | "leftover" | "unclear";

function verdictOn(
  root: InspectedRoot,
  about: { readonly id: number; readonly next: number | undefined },
): Verdict {
  const { record, isReadOnly, isWhole } = root;
  // Made after the last time that the state was written: so it may be a run's that was interrupted.
  const isNew = about.next !== undefined && about.id >= about.next;
  if (!isWhole) return isNew && record !== undefined ? "leftover" : "unclear";
  if (isReadOnly) return "whole";
  if (record === undefined) return "seal";
  return isNew ? "leftover" : "unclear";
}

function snapshotOf(id: number, root: InspectedRoot): Snapshot {
  const { record, uuid, createdMs } = root;
  // A record with another number is another machine's, or that of the snapshot it was made of.
  const isOwn = record?.id === id && !root.isReceived;
  return {
    id,
    parent: isOwn ? record.parent : undefined,
    branch: isOwn ? record.branch : undefined,
    description: record?.description ?? "",
    createdMs: isOwn ? record.createdMs : createdMs,
    isPinned: false,
    uuid,
    system: record?.system,
  };
}
