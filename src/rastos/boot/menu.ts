/**
 * The boot menu: entries, their counters and their kernels. What boots next is written nowhere but
 * here: it is the first of the entries in the loader's order (see compareEntries) with a try left.
 */
import { Fault } from "../../kit/fault/fault.ts";
import type { BootChange, BootFiles } from "./boot-files.ts";
import {
  type BootCounters,
  compareEntries,
  ENTRY_FOLDER,
  entryFileName,
  formatEntry,
  identityOf,
  KERNEL_FOLDER,
  kernelFolderOf,
  nextEntry,
  nextVersion,
  parseEntry,
  parseEntryFileName,
  versionOf,
} from "./entry.ts";
import { formatGrubConfig, GRUB_CONFIG, GRUB_MARK } from "./grub-config.ts";
import {
  emptyGrubEnv,
  GRUB_ENV,
  grubVariable,
  parseGrubCounters,
  parseGrubEnv,
} from "./grub-env.ts";
import { clearReason, noReasonChange, readReason, reasonChange } from "./reason.ts";
import type { BootEntry } from "./types.ts";

/** An entry and the file that holds it. */
interface StoredEntry extends BootEntry {
  readonly file: string;
}

/** An entry that is to be marked as bad, and why. */
export interface Condemned {
  readonly name: string;
  readonly reason: string;
}

/** Seconds for which the menu is shown where nobody says otherwise. */
export const MENU_TIMEOUT = 3;

/** Boots that a new entry has to be blessed in, where nobody says otherwise. */
export const TRIES = 3;

export class BootMenu {
  readonly files: BootFiles;
  /** What has been read, while nobody else changes it. */
  #known: readonly StoredEntry[] | undefined;
  #isTogether = false;

  constructor(files: BootFiles) {
    this.files = files;
  }

  /** Reads the entries once for all that `call` asks, and anew after what it changes here. */
  together<T>(call: () => T): T {
    if (this.#isTogether) return call();
    this.#isTogether = true;
    try {
      return call();
    } finally {
      this.#isTogether = false;
      this.#known = undefined;
    }
  }

  /** All entries of ours in the order in which the loader tries them. */
  entries(): readonly BootEntry[] {
    return this.#stored().map(({ file: _, ...entry }) => entry);
  }

  /** @throws {Fault} E_NOT_FOUND naming those that there are */
  entry(name: string): BootEntry {
    return this.#entry(name);
  }

  /** The one that boots next, if nothing is wrong with it. */
  next(): BootEntry | undefined {
    return nextEntry(this.#stored());
  }

  /** A version that makes its entry the first one. */
  nextVersion(): string {
    return nextVersion(this.#stored());
  }

  /** Writes an entry, in the place of one of the same name. Its kernel must be there already. */
  put(entry: BootEntry): void {
    const file = entryFileName(entry);
    this.#changed.write(`${ENTRY_FOLDER}/${file}`, formatEntry(entry));
    for (const old of this.#filesOf(entry.name)) {
      if (old !== file) this.#changed.remove(`${ENTRY_FOLDER}/${old}`);
    }
    this.refreshGrub();
  }

  /** Counts no more boots of it: it is good. Another name, and nothing else. */
  bless(name: string): void {
    this.#count(name, { triesLeft: undefined, triesDone: 0 });
  }

  /** Has the loader take it only when there is nothing else. Another name, and nothing else. */
  condemn(name: string): void {
    const { triesDone } = this.#entry(name);
    this.#count(name, { triesLeft: 0, triesDone: Math.max(triesDone, 1) });
  }

  /**
   * Has another entry boot next, and marks those as bad that would. That is one step: the first one
   * if it is put before all others by a higher version, or else the mark of the last one before it,
   * which is enough. An entry without tries gets new ones.
   *
   * What is to be marked has its reason from the first step on: `settleReasons` finishes it.
   */
  rollTo(name: string, instead: readonly Condemned[]): void {
    const entries = this.#stored();
    const target = this.#entry(name);
    const reasons = new Map(instead.map((one) => [one.name, one.reason]));
    const bad = entries.filter((entry) => reasons.has(entry.name));
    const first = bad.flatMap((entry) => reasonFor(entry, reasons.get(entry.name) ?? ""));
    const second = bad.flatMap((entry) => condemnation(entry));
    const left = entries.find((entry) => !reasons.has(entry.name));
    if (left?.name !== name || target.triesLeft === 0) {
      const again = target.triesLeft === 0 ? { triesLeft: TRIES, triesDone: 0 } : {};
      const entry = { ...target, ...again, version: nextVersion(entries) };
      const path = `${ENTRY_FOLDER}/${entryFileName(entry)}`;
      first.push({ kind: "write", path, content: formatEntry(entry) });
      const old = `${ENTRY_FOLDER}/${target.file}`;
      if (old !== path) second.push({ kind: "remove", path: old });
    }
    const identity = identityOf(name);
    if (identity !== undefined && readReason(this.files, identity) !== undefined) {
      second.push(noReasonChange(identity));
    }
    this.#changed.change([first, second]);
    this.refreshGrub();
  }

  /**
   * Finishes or undoes what was interrupted in {@link rollTo}: an entry has its reason before its
   * mark. It is marked if another one boots next by now, and else nothing was decided.
   *
   * @returns sentences about what was done
   */
  settleReasons(): readonly string[] {
    const next = this.next();
    return this.entries().flatMap((entry) => {
      const identity = entry.triesLeft === 0 ? undefined : identityOf(entry.name);
      if (identity === undefined || readReason(this.files, identity) === undefined) return [];
      if (entry.name === next?.name) clearReason(this.files, identity);
      else this.condemn(entry.name);
      return [`Put in order what an interrupted rollback has left of ${entry.name}`];
    });
  }

  /** Removes the entry first, its kernel last. */
  remove(name: string): void {
    const identity = identityOf(name);
    for (const file of this.#filesOf(name)) this.#changed.remove(`${ENTRY_FOLDER}/${file}`);
    this.refreshGrub();
    if (identity !== undefined) this.files.removeFolder(kernelFolderOf(identity));
  }

  /**
   * Removes what an interrupted run has left: temporary files, entries without their kernel,
   * kernels without an entry, a second file of one entry.
   *
   * @returns what was removed, for a message
   */
  repair(): readonly string[] {
    const removed: string[] = [];
    const drop = (path: string, isFolder = false): void => {
      removed.push(path);
      if (isFolder) this.files.removeFolder(path);
      else this.#changed.remove(path);
    };
    if (this.#isGrubBehind()) this.refreshGrub();
    const kept = new Map(this.#stored().map((entry) => [entry.name, entry]));
    const files = this.files.list(ENTRY_FOLDER).map(({ name }) => name);
    for (const file of files) {
      const named = parseEntryFileName(file);
      if (named === undefined) {
        if (/^\.?rastos-.*\.tmp$/.test(file)) drop(`${ENTRY_FOLDER}/${file}`);
        continue;
      }
      const entry = kept.get(named.name);
      // Renamed since it was read: a boot is being blessed just now.
      if (entry !== undefined && !files.includes(entry.file)) continue;
      if (entry?.file !== file || !this.#hasKernel(entry)) {
        drop(`${ENTRY_FOLDER}/${file}`);
        if (entry?.file === file) kept.delete(named.name);
      }
    }
    if (removed.length > 0) this.refreshGrub();
    for (const { name, isFolder } of this.files.list(KERNEL_FOLDER)) {
      if (isFolder && /^\d+-\d+$/.test(name) && !kept.has(`rastos-${name}`)) {
        drop(`${KERNEL_FOLDER}/${name}`, true);
      }
    }
    return removed;
  }

  /** Whether GRUB boots from here too, by a configuration of ours. */
  hasGrub(): boolean {
    return this.#grubTimeout() !== undefined;
  }

  /**
   * Writes GRUB's configuration anew where there is one. What GRUB has counted goes into the names
   * of the entries first, as it stood.
   *
   * @param timeout writes one also where there is none yet
   */
  refreshGrub(timeout = this.#grubTimeout()): void {
    if (timeout === undefined) return;
    const entries = this.#stored();
    for (const entry of entries) this.#store(entry, entry);
    this.#changed.write(GRUB_CONFIG, formatGrubConfig(entries, timeout));
    this.#changed.write(GRUB_ENV, emptyGrubEnv());
  }

  /** Whether GRUB has counted since, or was not told of the last change. */
  #isGrubBehind(): boolean {
    const timeout = this.#grubTimeout();
    if (timeout === undefined) return false;
    const wanted = formatGrubConfig(this.#stored(), timeout);
    return this.#text(GRUB_CONFIG) !== wanted || this.#text(GRUB_ENV) !== emptyGrubEnv();
  }

  #grubTimeout(): number | undefined {
    const text = this.#text(GRUB_CONFIG);
    if (text?.startsWith(GRUB_MARK) !== true) return undefined;
    return Number(/^set timeout=(\d+)$/m.exec(text)?.[1] ?? MENU_TIMEOUT);
  }

  #count(name: string, counters: BootCounters): void {
    this.#store(this.#entry(name), counters);
    this.refreshGrub();
  }

  /** Renames the entry's file to what its counters are. */
  #store(entry: StoredEntry, counters: BootCounters): void {
    const file = entryFileName({ name: entry.name, ...counters });
    if (file !== entry.file) this.#changed.rename(ENTRY_FOLDER, entry.file, file);
  }

  #entry(name: string): StoredEntry {
    const entries = this.#stored();
    const found = entries.find((entry) => entry.name === name);
    if (found !== undefined) return found;
    const names = entries.map((entry) => entry.name).join(", ");
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find the boot entry "${name}" in "${this.files.shown}"`,
      hint: names === "" ? "there are none: rastos deploy makes one" : `there are: ${names}`,
    });
  }

  #stored(): readonly StoredEntry[] {
    const stored = this.#known ?? this.#read();
    if (this.#isTogether) this.#known = stored;
    return stored;
  }

  /** Changes files, and forgets what was known of them. */
  get #changed(): BootFiles {
    this.#known = undefined;
    return this.files;
  }

  /** In the loader's order, each name once: of two files of a name the one written last. */
  #read(): readonly StoredEntry[] {
    const env = parseGrubEnv(this.#text(GRUB_ENV) ?? "");
    const byName = new Map<string, StoredEntry>();
    for (const { name: file } of this.files.list(ENTRY_FOLDER)) {
      const text = parseEntryFileName(file) && this.#text(`${ENTRY_FOLDER}/${file}`);
      const entry = text === undefined ? undefined : parseEntry(file, text);
      if (entry === undefined) continue;
      const other = byName.get(entry.name);
      if (other !== undefined && !isLater(entry, other)) continue;
      byName.set(entry.name, { ...entry, ...countersOf(entry, env), file });
    }
    return [...byName.values()].sort(compareEntries);
  }

  #hasKernel(entry: BootEntry): boolean {
    return [entry.kernel, entry.initrd]
      .filter((path) => path !== "")
      .every((path) => {
        const slash = path.lastIndexOf("/");
        const names = this.files.list(path.slice(1, slash));
        return names.some(({ name }) => name === path.slice(slash + 1));
      });
  }

  #filesOf(name: string): readonly string[] {
    return this.files
      .list(ENTRY_FOLDER)
      .map((file) => file.name)
      .filter((file) => parseEntryFileName(file)?.name === name);
  }

  #text(path: string): string | undefined {
    const bytes = this.files.read(path);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
  }
}

/** What writes the reason of an entry that is to be bad. */
function reasonFor(entry: BootEntry, reason: string): BootChange[] {
  const identity = identityOf(entry.name);
  return identity === undefined ? [] : [reasonChange(identity, reason)];
}

/** What marks an entry as bad: nothing, where it has no tries left. */
function condemnation(entry: StoredEntry): BootChange[] {
  const { name, triesDone } = entry;
  const file = entryFileName({ name, triesLeft: 0, triesDone: Math.max(triesDone, 1) });
  if (entry.triesLeft === 0 || file === entry.file) return [];
  const [path, to] = [`${ENTRY_FOLDER}/${entry.file}`, `${ENTRY_FOLDER}/${file}`];
  return [{ kind: "rename", path, to }];
}

/**
 * Which of two files of one entry was written last, where a power cut has kept both: the one that
 * was put before all others; what is blessed is never counted again, and tries only become fewer.
 */
function isLater(one: BootEntry, other: BootEntry): boolean {
  const versions = versionOf(one) - versionOf(other);
  if (versions !== 0) return versions > 0;
  if (one.triesLeft === undefined || other.triesLeft === undefined) {
    return one.triesLeft === undefined && other.triesLeft !== undefined;
  }
  return one.triesDone !== other.triesDone
    ? one.triesDone > other.triesDone
    : one.triesLeft < other.triesLeft;
}

/** GRUB cannot rename: what it has counted stands in its own file until the next change. */
function countersOf(entry: BootEntry, env: ReadonlyMap<string, string>): BootCounters {
  const { triesLeft, triesDone } = entry;
  const counted = parseGrubCounters(env.get(grubVariable(entry.name)));
  const isFurther = counted !== undefined && counted.triesDone > triesDone;
  return triesLeft !== undefined && isFurther ? counted : { triesLeft, triesDone };
}
