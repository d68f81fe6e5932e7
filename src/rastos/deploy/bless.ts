import { Fault } from "../../kit/fault/fault.ts";
import { entryName, identityOf } from "../boot/entry.ts";
import type { BootMenu } from "../boot/menu.ts";
import { clearReason, readReason, writeReason } from "../boot/reason.ts";
import type { EntryIdentity } from "../boot/types.ts";
import { SnapshotTree } from "../snapshot/tree.ts";
import { recordDefault } from "./recover.ts";

/** What becomes of the deployment that is running. */
export interface Verdict {
  readonly menu: BootMenu;
  readonly identity: EntryIdentity;
  /** Why it is bad; undefined: it is good. */
  readonly reason: string | undefined;
}

/**
 * Writes down that a deployment is good, by renaming its boot entry, or that it is bad, and why.
 * The boot partition is all that is needed for that: whatever is wrong with the btrfs, the loader
 * takes another entry next time.
 *
 * @returns the entry's name
 * @throws {Fault} E_NOT_FOUND where it has no boot entry
 */
export function passVerdict({ menu, identity, reason }: Verdict): string {
  const name = entryName(identity);
  const entry = menu.entry(name);
  if (reason === undefined) {
    if (entry.triesLeft !== undefined) menu.bless(name);
    clearReason(menu.files, identity);
  } else {
    writeReason(menu.files, identity, reason);
    if (entry.triesLeft !== 0) menu.condemn(name);
  }
  return name;
}

/** What the checks of a boot come to. */
export type BootVerdict =
  | { readonly kind: "good" }
  | { readonly kind: "bad"; readonly reason: string }
  /** It was blessed long ago: a service that fails today is no reason to give it up. */
  | { readonly kind: "still-good"; readonly problem: string }
  /** Somebody has said that it is bad, and has started it from the menu all the same. */
  | { readonly kind: "still-bad"; readonly reason: string };

/** Judges a boot by its checks; what a person has decided before is not undone by them. */
export function judgeBoot(
  menu: BootMenu,
  identity: EntryIdentity,
  problem: string | undefined,
): BootVerdict {
  const entry = menu.entry(entryName(identity));
  if (problem !== undefined) {
    const isBlessed = entry.triesLeft === undefined;
    return isBlessed ? { kind: "still-good", problem } : { kind: "bad", reason: problem };
  }
  // On its last try the loader has left it none: only a reason tells that it was given up.
  const said = entry.triesLeft === 0 ? readReason(menu.files, identity) : undefined;
  return said === undefined ? { kind: "good" } : { kind: "still-bad", reason: said };
}

const LOCK_WAIT_MS = 10_000;
const LOCK_STEP_MS = 250;

/**
 * Passes a verdict and brings the state up to date with it, while nobody else is at work on the
 * boot partition. Who changes snapshots for long just now is not waited for: he brings the state up
 * to date at his end. Nor is a tree needed that cannot be opened.
 *
 * @throws {Fault} of the tree, when the verdict is passed
 */
export async function giveVerdict(top: string, verdict: Verdict, command: string): Promise<void> {
  let opened: SnapshotTree | undefined;
  try {
    opened = await openSoon(top, command);
  } catch (error) {
    passVerdict(verdict);
    throw error;
  }
  using tree = opened;
  passVerdict(verdict);
  if (tree !== undefined) recordDefault({ tree, menu: verdict.menu });
}

async function openSoon(top: string, command: string): Promise<SnapshotTree | undefined> {
  for (let waited = 0; waited < LOCK_WAIT_MS; waited += LOCK_STEP_MS) {
    try {
      return SnapshotTree.open(top, { command });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "E_LOCKED") throw error;
    }
    await Bun.sleep(LOCK_STEP_MS);
  }
  return undefined;
}

/** `rastos-N-K`, `N-K` or `K` of one of the entries. @throws {Fault} E_NOT_FOUND */
export function identityNamed(menu: BootMenu, text: string): EntryIdentity {
  const names = menu.entries().map(({ name }) => name);
  const found = names.find((name) => {
    return name === text || name === `rastos-${text}` || name.endsWith(`-${text}`);
  });
  const identity = found === undefined ? undefined : identityOf(found);
  if (identity !== undefined) return identity;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find the deployment "${text}"`,
    hint:
      names.length === 0 ? "there is none yet: rastos deploy" : `there are: ${names.join(", ")}`,
  });
}
