import { existsSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../../kit/fault/fault.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import type { PackageRoot } from "../../package/root-options.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { snapshotPaths } from "../../snapshot/part-place.ts";
import { openRoot } from "../../snapshot/root.ts";
import { SnapshotTree } from "../../snapshot/tree.ts";
import type { Deployment, Snapshot, SystemState } from "../../snapshot/types.ts";
import { findSnapshot } from "../snapshot/find-snapshot.ts";
import { noteOthers } from "../snapshot/note-others.ts";

/** What a command of packages works on. */
export type PackageTarget =
  /** A folder with a system in it: changed as it is. */
  | { readonly kind: "folder"; readonly place: PackageRoot }
  /** A snapshot, which a change makes a child of. */
  | {
      readonly kind: "snapshot";
      readonly place: PackageRoot;
      readonly top: string;
      readonly snapshot: Snapshot;
      /** Nobody has named it. */
      readonly isDefault: boolean;
      /** Where the system runs, or would: what `--live` changes too. */
      readonly live: string | undefined;
    };

interface Choice {
  readonly root: string | undefined;
  /** Number or branch; undefined: the one that boots. */
  readonly snapshot?: string | undefined;
}

/**
 * The target of `--root`: a tree of snapshots, or any folder; without it the running system.
 *
 * @throws {Fault} E_NOT_FOUND, E_PRIVILEGE, E_REFUSED
 */
export function findTarget(choice: Choice): PackageTarget {
  const { root, snapshot } = choice;
  // What is in .snapshots only root may see.
  if (root !== undefined && !existsSync(join(root, ".snapshots"))) {
    if (snapshot === undefined) return { kind: "folder", place: { root } };
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot take a snapshot of "${root}": it is no tree of snapshots`,
      hint: "--root takes the top level of a btrfs with rastOS on it, or leave --snapshot out",
    });
  }
  const opened = openRoot({ root });
  const top = opened.path;
  const state = readTree(top);
  const chosen = snapshot === undefined ? defaultSnapshot(state) : findSnapshot(state, snapshot);
  const deployed = defaultDeployment(state);
  const folder = deployed === undefined ? undefined : join(top, deployed.subvolume);
  return {
    kind: "snapshot",
    place: snapshotPaths(top, chosen.id),
    top,
    snapshot: chosen,
    isDefault: snapshot === undefined,
    live: opened.isRunning ? "/" : folder,
  };
}

function defaultDeployment(state: SystemState): Deployment | undefined {
  return state.deployments.find(({ id }) => id === state.defaultDeployment);
}

function defaultSnapshot(state: SystemState): Snapshot {
  const deployed = defaultDeployment(state)?.snapshot;
  const found = state.snapshots.find(({ id }) => id === deployed) ?? state.snapshots.at(-1);
  if (found !== undefined) return found;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot change packages: there is no snapshot yet",
    hint: "`rastos snapshot create` makes the first one",
  });
}

/** A change of a target in which `work` may do what it wants. */
export interface TargetChange<T> {
  readonly target: PackageTarget;
  readonly command: string;
  readonly printer: Printer;
  /** Nothing is returned if nothing has changed: then no snapshot is made. */
  readonly work: (
    place: PackageRoot,
    /** Makes sure that so many bytes are free. @throws {Fault} E_NO_SPACE */
    reserve: (bytes: number) => void,
  ) => Promise<{ readonly value: T; readonly description: string } | undefined>;
}

/**
 * Lets `work` change a folder as it is, or a clone of a snapshot: the clone is kept as a new one if
 * all went well, and is gone otherwise.
 */
export async function changeTarget<T>(
  change: TargetChange<T>,
): Promise<{ readonly value: T; readonly made: Snapshot | undefined } | undefined> {
  const { target, printer } = change;
  if (target.kind === "folder") {
    // libalpm itself counts what a folder has room for.
    const done = await change.work(target.place, () => undefined);
    return done === undefined ? undefined : { value: done.value, made: undefined };
  }
  using tree = SnapshotTree.open(target.top, {
    command: change.command,
    onNote: (text) => printer.warn(text),
  });
  using clone = tree.temporary(target.snapshot.id);
  const done = await change.work({ root: clone.path }, (bytes) => tree.reserve(bytes));
  if (done === undefined) return undefined;
  const made = clone.keep({ description: done.description });
  const from = target.snapshot.id;
  if (target.isDefault) {
    noteOthers(printer, tree.state, { from, made: made.id, flag: "--snapshot" });
  }
  return { value: done.value, made };
}
