import { dirname, join } from "node:path";
import { sys } from "../../../ffi/sys.ts";
import {
  HERE,
  isThere,
  makeFoldersAt,
  openFolderAt,
  removeFileAt,
  renameAt,
} from "../../kit/fs/at.ts";
import { removeTree } from "../../kit/fs/remove-tree.ts";
import type { Environment } from "./environment.ts";
import { must } from "./faults.ts";
import type { Journal } from "./journal.ts";
import { tryLockEnvironment } from "./lock.ts";
import { holdsManifest, setManifest } from "./manifest.ts";
import { takeBack } from "./moves.ts";
import {
  isOfEarlierBoot,
  isRecoveryDue,
  lastJournal,
  listState,
  readOpenJournal,
  STATE_FOLDER,
} from "./state-folder.ts";
import { isWrittenWhole } from "./written.ts";

/** What earlier commands have left behind, and what became of it. */
export interface Recovery {
  /** Commands that were cut short and have been taken back. */
  readonly takenBack: readonly string[];
  /** Files that stood where old ones had to go; they lie in the state folder now. */
  readonly displaced: readonly string[];
}

const NOTHING: Recovery = { takenBack: [], displaced: [] };

/**
 * Brings an environment back to the state before a command that was cut short. Without one this
 * costs a single readdir; while another process is writing, nothing is done.
 *
 * @throws {Fault} where the system refuses; what is left is tried again by the next command
 */
export function recover(environment: Environment, command: string): Recovery {
  if (!isRecoveryDue(environment)) return NOTHING;
  using lock = tryLockEnvironment(environment, command);
  return lock === undefined ? NOTHING : recoverLocked(environment);
}

/** As {@link recover}, for who holds the lock. */
export function recoverLocked(environment: Environment): Recovery {
  const { open, trash, isUnsettled } = listState(environment);
  for (const name of trash) removeTree(join(environment.root, STATE_FOLDER, name));
  const takenBack: string[] = [];
  const displaced: string[] = [];
  const add = (number: number): void => {
    const result = takeBackTransaction(environment, number);
    if (result.command !== undefined) takenBack.push(result.command);
    displaced.push(...result.displaced);
  };
  for (const number of open.toReversed()) add(number);
  if (isUnsettled && isOfEarlierBoot(environment)) {
    const lost = reopenWhatWasLost(environment);
    if (lost !== undefined) add(lost);
    removeFileAt(HERE, join(environment.root, STATE_FOLDER, "unsettled"));
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
    const journal = readOpenJournal(environment, `open-${number}`);
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

/**
 * After a power cut: where a file of the last transaction has not reached the disk as it was
 * written, the transaction counts as not committed. Returns its number then.
 */
function reopenWhatWasLost(environment: Environment): number | undefined {
  const journal = lastJournal(environment);
  if (journal === undefined || isWrittenWhole(environment, journal)) return undefined;
  reopen(environment, journal);
  return journal.number;
}

function reopen(environment: Environment, { number, places }: Journal): void {
  const root = must(openFolderAt(HERE, environment.root), "open", environment.root);
  const folder = `${STATE_FOLDER}/open-${number}`;
  try {
    // The way back for the new files: their folders were cleaned up after the commit.
    const done = `${STATE_FOLDER}/done-${number}`;
    must(makeFoldersAt(root, `${done}/new`), "make", done);
    for (const [from] of places) {
      const parent = dirname(from).replace(folder, done);
      must(makeFoldersAt(root, parent), "make", parent);
    }
    must(renameAt(root, done, root, folder), "take back", done);
  } finally {
    sys.close(root);
  }
}
