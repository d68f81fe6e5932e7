/** GRUB's configuration from the same entries that systemd-boot reads. Pure. */
import { compareEntries } from "./entry.ts";
import { grubVariable } from "./grub-env.ts";
import type { BootEntry } from "./types.ts";

/** Where it is on the boot partition. */
export const GRUB_CONFIG = "grub/grub.cfg";
/** First line of a configuration of ours. */
export const GRUB_MARK = "# Written by rastos: changes are lost.";

/** GRUB counts no further than this: it has no arithmetic, so every step is spelled out. */
const TRIES_MAX = 20;

/**
 * The text of grub.cfg. GRUB counts boots as systemd-boot does: what is chosen loses a try before
 * its kernel starts, and who has none left is not chosen by itself.
 *
 * @param timeout seconds for which the menu is shown
 */
export function formatGrubConfig(entries: readonly BootEntry[], timeout: number): string {
  const sorted = [...entries].sort(compareEntries);
  const lines = [
    GRUB_MARK,
    'if [ -s "$prefix/grubenv" ]; then load_env; fi',
    `set timeout=${timeout}`,
    "set next=",
    ...sorted.flatMap(choosing),
    'if [ -z "$next" ]; then set next=0; fi',
    'set default="$next"',
    ...sorted.flatMap(menuEntry),
  ];
  return `${lines.join("\n")}\n`;
}

/** Takes the entry as the next one, if there is none yet and it has tries left. */
function choosing(entry: BootEntry): string[] {
  const take = `set next="${entry.name}"`;
  if (entry.triesLeft === undefined) return [`if [ -z "$next" ]; then ${take}; fi`];
  const variable = grubVariable(entry.name);
  const [start = "0-0"] = steps(entry);
  const end = steps(entry).at(-1) ?? "0-0";
  return [
    `if [ -z "$${variable}" ]; then set ${variable}=${start}; fi`,
    `if [ -z "$next" ]; then if [ "$${variable}" != "${end}" ]; then ${take}; fi; fi`,
  ];
}

function menuEntry(entry: BootEntry): string[] {
  return [
    `menuentry ${quote(entry.title)} --id ${entry.name} {`,
    ...counting(entry).map((line) => `  ${line}`),
    `  linux ${quote(entry.kernel)} ${quoteWords(entry.options)}`,
    ...(entry.initrd === "" ? [] : [`  initrd ${quote(entry.initrd)}`]),
    "}",
  ];
}

/** Takes one try, and has it on the disk before the kernel starts. */
function counting(entry: BootEntry): string[] {
  if (entry.triesLeft === undefined || entry.triesLeft === 0) return [];
  const variable = grubVariable(entry.name);
  const all = steps(entry);
  const branches = all
    .slice(0, -1)
    .map((from, index) => `[ "$${variable}" = "${from}" ]; then set ${variable}=${all[index + 1]}`);
  return [`if ${branches.join("; elif ")}; fi`, `save_env ${variable}`];
}

/** `3-0`, `2-1`, `1-2`, `0-3`: what the variable can hold, in order. */
function steps(entry: BootEntry): string[] {
  const left = Math.min(entry.triesLeft ?? 0, TRIES_MAX);
  return Array.from({ length: left + 1 }, (_, step) => `${left - step}-${entry.triesDone + step}`);
}

/** A word of GRUB's script; nothing in single quotes means anything to it. */
function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function quoteWords(options: string): string {
  return options
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => (/^[\w=.:/,@+-]+$/.test(word) ? word : quote(word)))
    .join(" ");
}
