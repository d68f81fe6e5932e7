import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { Environment } from "./environment.ts";
import type { Journal } from "./journal.ts";
import { isWholeJournal, parseJournal } from "./journal.ts";

/**
 * `.blast/` in an environment: its lock, its transactions, and what each of them did.
 *
 *     lock        who is changing the environment
 *     open-7/     a transaction that has not been committed: is taken back by the next command
 *     done-6/     a committed one: its journal, and in old/ what it replaced (of the last ones)
 *     trash-5/    to be deleted
 *     unsettled   the last transaction may be lost in a power cut until this is gone
 */
export const STATE_FOLDER = ".blast";

/** What lies in the state folder, by number, ascending. */
export interface StateListing {
  readonly open: readonly number[];
  readonly done: readonly number[];
  /** Names of folders that only wait to be deleted. */
  readonly trash: readonly string[];
  readonly isUnsettled: boolean;
}

const NAME = /^(open|done|trash)-(\d{1,9})$/;

/** One readdir; an environment that blast never changed has nothing. */
export function listState(environment: Environment): StateListing {
  const open: number[] = [];
  const done: number[] = [];
  const trash: string[] = [];
  let isUnsettled = false;
  let names: string[] = [];
  try {
    names = readdirSync(join(environment.root, STATE_FOLDER));
  } catch {
    // Never used, or not readable: then nothing of it can be used.
  }
  for (const name of names) {
    if (name === "unsettled") isUnsettled = true;
    const [, kind, number] = NAME.exec(name) ?? [];
    if (kind === "open") open.push(Number(number));
    if (kind === "done") done.push(Number(number));
    if (kind === "trash") trash.push(name);
  }
  const ascending = (a: number, b: number): number => a - b;
  return { open: open.sort(ascending), done: done.sort(ascending), trash, isUnsettled };
}

/** The journal of a transaction; undefined where it was never finished, or is of another format. */
export function readJournal(environment: Environment, folder: string): Journal | undefined {
  const text = readJournalText(environment, folder);
  return text === undefined ? undefined : parseJournal(text);
}

/**
 * As {@link readJournal}, for a transaction that is to be taken back.
 *
 * @throws {Fault} E_REFUSED where the journal was finished, but cannot be understood: files may
 *   have been moved then, and nobody here knows which
 */
export function readOpenJournal(environment: Environment, folder: string): Journal | undefined {
  const text = readJournalText(environment, folder);
  const journal = text === undefined ? undefined : parseJournal(text);
  if (text === undefined || journal !== undefined || !isWholeJournal(text)) return journal;
  const path = join(environment.root, STATE_FOLDER, folder, "journal.json");
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot take back what a command left unfinished: "${path}" is of another format`,
    hint: "use the version of blast that wrote it, or make the environment anew",
  });
}

function readJournalText(environment: Environment, folder: string): string | undefined {
  try {
    const path = join(environment.root, STATE_FOLDER, folder, "journal.json");
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The last committed transaction, which also says what blast installed. */
export function lastJournal(environment: Environment): Journal | undefined {
  const number = listState(environment).done.at(-1);
  return number === undefined ? undefined : readJournal(environment, `done-${number}`);
}

/** Changes with every boot of the machine; empty where the system does not tell. */
export function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** Whether the transaction that may be unsettled is older than the last start of the machine. */
export function isOfEarlierBoot(environment: Environment): boolean {
  let written = "";
  try {
    written = readFileSync(join(environment.root, STATE_FOLDER, "unsettled"), "utf8").trim();
  } catch {
    // Then nobody knows, and it counts as an earlier one.
  }
  return written !== bootId();
}

/** Whether an earlier command has left something behind: see recover.ts, which is seldom needed. */
export function isRecoveryDue(environment: Environment): boolean {
  const { open, trash, isUnsettled } = listState(environment);
  return open.length + trash.length > 0 || (isUnsettled && isOfEarlierBoot(environment));
}
