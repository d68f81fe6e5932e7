/**
 * GRUB's environment block: the one file that GRUB can write to (save_env), in place, which is why
 * it always has 1024 bytes. Pure.
 */
import type { BootCounters } from "./entry.ts";

/** Where it is on the boot partition. */
export const GRUB_ENV = "grub/grubenv";

const HEADER = "# GRUB Environment Block\n";
const SIZE = 1024;

/** An empty block: what GRUB counts from then on is what the entries say. */
export function emptyGrubEnv(): string {
  return HEADER.padEnd(SIZE, "#");
}

/** The variables of a block; none of what is no block. */
export function parseGrubEnv(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  if (!text.startsWith(HEADER)) return variables;
  for (const line of text.slice(HEADER.length).split("\n")) {
    const found = /^([A-Za-z_]\w*)=(.*)$/.exec(line);
    if (found?.[1] !== undefined) variables.set(found[1], found[2] ?? "");
  }
  return variables;
}

/** The variable in which GRUB counts the boots of an entry: `rastos_3_7`, as `left-done`. */
export function grubVariable(name: string): string {
  return name.replaceAll("-", "_");
}

/** Counters as {@link grubVariable} holds them. */
export function parseGrubCounters(value: string | undefined): BootCounters | undefined {
  const found = /^(\d{1,4})-(\d{1,4})$/.exec(value ?? "");
  return found === null ? undefined : { triesLeft: Number(found[1]), triesDone: Number(found[2]) };
}
