/**
 * Boot entries as the Boot Loader Specification has them (Type #1), with boot counting in the
 * file's name. Pure: text to data and back, and the order in which a loader tries them.
 */
import { Fault } from "../../kit/fault/fault.ts";
import type { BootEntry, EntryIdentity } from "./types.ts";

/** Folder of the entries, from the ESP's root. */
export const ENTRY_FOLDER = "loader/entries";
/** Folder of the kernels, from the ESP's root; below it a folder `N-K` per deployment. */
export const KERNEL_FOLDER = "EFI/rastos";

/** The counters in the name of an entry's file. */
export interface BootCounters {
  readonly triesLeft: number | undefined;
  readonly triesDone: number;
}

/** What the name of an entry's file says. */
export interface EntryFileName extends BootCounters, EntryIdentity {
  readonly name: string;
}

const FILE_NAME = /^(rastos-(\d{1,9})-(\d{1,9}))(?:\+(\d{1,4})(?:-(\d{1,4}))?)?\.conf$/;
const ENTRY_NAME = /^rastos-(\d{1,9})-(\d{1,9})$/;

/** `rastos-N-K`. */
export function entryName(identity: EntryIdentity): string {
  return `rastos-${identity.snapshot}-${identity.deployment}`;
}

/** The numbers in `rastos-N-K`, or undefined for any other text. */
export function identityOf(name: string): EntryIdentity | undefined {
  const found = ENTRY_NAME.exec(name);
  if (found === null) return undefined;
  return { snapshot: Number(found[1]), deployment: Number(found[2]) };
}

/** `EFI/rastos/N-K`: where the kernel and the initial ram disk of an entry are. */
export function kernelFolderOf(identity: EntryIdentity): string {
  return `${KERNEL_FOLDER}/${identity.snapshot}-${identity.deployment}`;
}

/**
 * The file's name: `rastos-3-7.conf` when blessed, `rastos-3-7+2-1.conf` with two boots left
 * after one.
 */
export function entryFileName(entry: { readonly name: string } & BootCounters): string {
  if (entry.triesLeft === undefined) return `${entry.name}.conf`;
  const done = entry.triesDone === 0 ? "" : `-${entry.triesDone}`;
  return `${entry.name}+${entry.triesLeft}${done}.conf`;
}

/** The parts of a file's name; undefined for what is no entry of ours. */
export function parseEntryFileName(file: string): EntryFileName | undefined {
  const found = FILE_NAME.exec(file);
  if (found === null) return undefined;
  const [, name = "", snapshot, deployment, left, done] = found;
  return {
    name,
    snapshot: Number(snapshot),
    deployment: Number(deployment),
    triesLeft: left === undefined ? undefined : Number(left),
    triesDone: done === undefined ? 0 : Number(done),
  };
}

/**
 * The text of an entry's file. Line breaks and other control characters in the title become
 * spaces: they would begin a new key.
 *
 * @throws {Fault} E_REFUSED when a path or the command line would break the file
 */
export function formatEntry(entry: BootEntry): string {
  for (const [key, value] of Object.entries(lineValues(entry))) {
    if (hasControls(value)) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot write a boot entry with ${JSON.stringify(value)} as its ${key}`,
        hint: "control characters and line breaks cannot stand in a boot entry",
      });
    }
  }
  const lines = [
    `title      ${oneLine(entry.title)}`,
    "sort-key   rastos",
    `version    ${entry.version}`,
    `linux      ${entry.kernel}`,
    `initrd     ${entry.initrd}`,
    `options    ${entry.options}`,
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * An entry from its file's name and text.
 *
 * @returns undefined for a name that is not ours, and for a text without a kernel: half written
 *   or damaged, and no loader would show it
 */
export function parseEntry(file: string, text: string): BootEntry | undefined {
  const named = parseEntryFileName(file);
  if (named === undefined) return undefined;
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const [key = "", value] = line.trim().split(/\s(.*)/s);
    if (value !== undefined) values.set(key, value.trim());
  }
  const kernel = values.get("linux");
  if (kernel === undefined || kernel === "") return undefined;
  return {
    name: named.name,
    title: values.get("title") ?? named.name,
    version: values.get("version") ?? "0",
    kernel,
    initrd: values.get("initrd") ?? "",
    options: values.get("options") ?? "",
    triesLeft: named.triesLeft,
    triesDone: named.triesDone,
  };
}

/**
 * The order in which a loader tries them, as systemd-boot sorts: what has no tries left last, then
 * the highest version first, then the name.
 */
export function compareEntries(a: BootEntry, b: BootEntry): number {
  const spent = Number(a.triesLeft === 0) - Number(b.triesLeft === 0);
  if (spent !== 0) return spent;
  const versions = versionOf(b) - versionOf(a);
  if (versions !== 0) return versions;
  const [left, right] = [identityOf(a.name), identityOf(b.name)];
  return (
    (right?.snapshot ?? 0) - (left?.snapshot ?? 0) ||
    (right?.deployment ?? 0) - (left?.deployment ?? 0)
  );
}

/** The entry that a loader boots next by itself; undefined when none has tries left. */
export function nextEntry(entries: readonly BootEntry[]): BootEntry | undefined {
  const [first] = [...entries].sort(compareEntries);
  return first?.triesLeft === 0 ? undefined : first;
}

/** A version above all others: who has it becomes the default. */
export function nextVersion(entries: readonly BootEntry[]): string {
  return String(Math.max(0, ...entries.map(versionOf)) + 1);
}

/** The version as the number that we write; anything else counts as the oldest. */
export function versionOf(entry: BootEntry): number {
  return /^\d{1,15}$/.test(entry.version) ? Number(entry.version) : 0;
}

function lineValues(entry: BootEntry): Record<string, string> {
  const { version, kernel, initrd, options } = entry;
  return { version, kernel, initrd, "command line": options };
}

function oneLine(text: string): string {
  return [...text]
    .map((one) => (hasControls(one) ? " " : one))
    .join("")
    .replace(/\s+/g, " ")
    .trim();
}

function hasControls(text: string): boolean {
  return /\p{Cc}|[\u2028\u2029]/u.test(text);
}
