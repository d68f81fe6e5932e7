/**
 * The quick way through a lock file that blast has written (pylock-write.ts). Its entries are
 * plain blocks of lines, so each can be read on its own: names, versions and markers first, files
 * only of what is going to be installed. Of a megabyte that is a tenth of the work, and most runs
 * find everything up to date.
 */
import type { SettingsTable } from "../../kit/config/layer.ts";
import { locateToml, type TomlPlaces } from "../../kit/config/locate.ts";
import type { TomlFile } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { LockedPackage, Pylock } from "./pylock.ts";
import { headOf, packageOf, versionOf } from "./pylock-entry.ts";
import { rootTable, type TomlTable, tableOf } from "./toml-table.ts";

const ENTRY = "\n[[packages]]\n";
/** Keys that stand behind everything else of an entry, and are long. */
const SOURCES = /\n(?:sdist = |wheels = |vcs = |directory = |archive = |tool = )/;

/** Texts over several lines could hold what looks like an entry. */
const UNSAFE = ['"""', "'''", "\r"];

/**
 * Reads a lock file in blast's own form.
 *
 * @returns undefined for any other form: only reading it as a whole can tell what it says
 * @throws {Fault} E_CONFIG as the full way does
 */
export function readOwnPylock(text: string, shown: string, folder: string): Pylock | undefined {
  const starts = entryStarts(text);
  const [first] = starts;
  const last = starts.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const head = text.slice(0, first);
  const isPlain = !UNSAFE.some((part) => text.includes(part));
  const isOwn = isPlain && head.includes('\ncreated-by = "blast"\n');
  const tools = text.indexOf("\n[tool", first);
  if (!isOwn || (tools >= 0 && tools < last)) return undefined;
  const end = tools < 0 ? text.length : tools + 1;
  const values = parseQuietly(head + text.slice(end));
  if (values === undefined) return undefined;
  const root = rootTable(new OwnFile(shown, text, values));
  const packages: LockedPackage[] = [];
  for (const [index, start] of starts.entries()) {
    const one = entryOf(root, index, text.slice(start + 1, starts[index + 1] ?? end));
    if (one === undefined) return undefined;
    packages.push(one);
  }
  return { ...headOf(root), ...versionOf(root), folder, packages };
}

/** Offsets of the line ends before each `[[packages]]`. */
function entryStarts(text: string): number[] {
  const starts: number[] = [];
  for (let at = text.indexOf(ENTRY); at >= 0; at = text.indexOf(ENTRY, at + 1)) starts.push(at);
  return starts;
}

/** Undefined where the entry's first lines are not what they should be. */
function entryOf(root: TomlTable, index: number, block: string): LockedPackage | undefined {
  const cut = block.search(SOURCES);
  const values = firstEntry(cut < 0 ? block : block.slice(0, cut + 1));
  if (values === undefined || !Object.hasOwn(values, "name")) return undefined;
  const path = ["packages", index];
  return packageOf(tableOf(root.file, path, values), () => {
    const whole = firstEntry(block);
    if (whole !== undefined) return tableOf(root.file, path, whole);
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${root.file.file}": the entry of "${values["name"]}" is no TOML`,
      hint: "lock again",
    });
  });
}

function firstEntry(block: string): SettingsTable | undefined {
  const list = parseQuietly(block)?.["packages"];
  return Array.isArray(list) ? (list[0] as SettingsTable) : undefined;
}

function parseQuietly(text: string): SettingsTable | undefined {
  try {
    return Bun.TOML.parse(text) as SettingsTable;
  } catch {
    return undefined;
  }
}

/** Values of a part, places of the whole. */
class OwnFile implements TomlFile {
  readonly file: string;
  readonly text: string;
  readonly values: SettingsTable;
  #places: TomlPlaces | undefined;

  constructor(file: string, text: string, values: SettingsTable) {
    this.file = file;
    this.text = text;
    this.values = values;
  }

  get places(): TomlPlaces {
    this.#places ??= locateToml(this.text);
    return this.#places;
  }
}
