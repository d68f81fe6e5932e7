import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sys } from "../../../ffi/sys.ts";
import { HERE, isThere, openFolderAt, renameAt } from "../../kit/fs/at.ts";
import { removeTree } from "../../kit/fs/remove-tree.ts";
import type { Environment } from "./environment.ts";
import { must } from "./faults.ts";
import { holdsManifest, setManifest } from "./manifest.ts";
import { takeBack } from "./moves.ts";
import { listState, readJournal, STATE_FOLDER } from "./state-folder.ts";

/** What an earlier command has left behind, and what became of it. */
export interface Recovery {
  /** Commands that were cut short and have been taken back. */
  readonly takenBack: readonly string[];
  /** Files that stood where old ones had to go; they lie in the state folder now. */
  readonly displaced: readonly string[];
}

const NOTHING: Recovery = { takenBack: [], displaced: [] };

/**
 * Takes back every transaction that was not committed; the caller holds the lock.
 *
 * @throws {Fault} where the system refuses; what is left is tried again by the next command
 */
export function recoverLocked(environment: Environment): Recovery {
  const { open, trash } = listState(environment);
  for (const name of trash) removeTree(join(environment.root, STATE_FOLDER, name));
  if (open.length === 0) return NOTHING;
  const takenBack: string[] = [];
  const displaced: string[] = [];
  for (const number of open.toReversed()) {
    const result = takeBackTransaction(environment, number);
    if (result.command !== undefined) takenBack.push(result.command);
    displaced.push(...result.displaced);
  }
  return { takenBack, displaced };
}

/**
 * Takes one uncommitted transaction back. Without a whole journal nothing was moved yet, and before
 * `staging` became `new` neither.
 */
export function takeBackTransaction(
  environment: Environment,
  number: number,
): { readonly command: string | undefined; readonly displaced: readonly string[] } {
  const folder = `${STATE_FOLDER}/open-${number}`;
  const root = must(openFolderAt(HERE, environment.root), "open", environment.root);
  let displaced: string[] = [];
  try {
    const journal = readJournal(environment, `open-${number}`);
    if (journal !== undefined && isThere(root, `${folder}/new`)) {
      displaced = takeBack(root, journal, `${STATE_FOLDER}/displaced-${number}`);
      for (const { path, before, after } of journal.manifests) {
        if (holdsManifest(path, after)) setManifest(path, before);
      }
    }
    const trash = `${STATE_FOLDER}/trash-${number}`;
    if (isThere(root, folder)) {
      removeTree(join(environment.root, trash));
      must(renameAt(root, folder, root, trash), "clean up", folder);
      removeTree(join(environment.root, trash));
    }
    return { command: journal?.command, displaced };
  } finally {
    sys.close(root);
  }
}

/** Changes with every boot of the machine; empty where the system does not tell. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
