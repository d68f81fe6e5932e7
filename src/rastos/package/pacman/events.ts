import type { PackageEvent } from "../types.ts";

const VERBS = "installing|upgrading|downgrading|reinstalling|removing";

/** What a line of pacman's output tells of the progress; undefined for all others. Pure. */
export function eventOfLine(line: string): PackageEvent | undefined {
  const change = new RegExp(`^(?:\\(\\d+/\\d+\\) )?(?:${VERBS}) (\\S+)\\.\\.\\.$`).exec(line)?.[1];
  if (change !== undefined) return { kind: "change", name: change, percent: 100 };
  const file = /^ (\S+) downloading\.\.\.$/.exec(line)?.[1];
  if (file !== undefined) return { kind: "download", file, done: 0, total: 0 };
  const hook = /^\(\s*\d+\/\d+\) (.+)$/.exec(line)?.[1];
  return hook === undefined ? undefined : { kind: "hook", name: hook };
}
