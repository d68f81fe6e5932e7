import { z } from "zod";
import { Fault } from "../../kit/fault/fault.ts";
import { isPackageName } from "./names.ts";

/** A commit's full name. */
export const COMMIT = /^[0-9a-f]{40}$/;

const schema = z.object({
  schema: z.literal("rastos.aur-lock/1"),
  bases: z.record(
    z.string().refine(isPackageName),
    z.object({ commit: z.string().regex(COMMIT), packages: z.array(z.string()) }),
  ),
});

/** What somebody has looked at and let pass: the commit that is built until another one is. */
export interface ReviewedBase {
  readonly commit: string;
  /** The names of what it builds. */
  readonly packages: readonly string[];
}

/** Reviewed bases by name. */
export type AurLock = ReadonlyMap<string, ReviewedBase>;

/**
 * Reads the text of a lock file; none at all is an empty one.
 *
 * @param file its name for messages
 * @throws {Fault} E_CONFIG
 */
export function parseAurLock(file: string, text: string | undefined): AurLock {
  if (text === undefined) return new Map();
  try {
    return new Map(Object.entries(schema.parse(JSON.parse(text)).bases));
  } catch {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot read "${file}": it is no list of reviewed packages`,
      hint: "restore it, or remove it and review the packages again",
    });
  }
}

/** The text of a lock file, its bases in alphabetical order, so that it can be kept in git. */
export function formatAurLock(lock: AurLock): string {
  const bases = Object.fromEntries([...lock].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ schema: "rastos.aur-lock/1", bases }, undefined, 2)}\n`;
}
