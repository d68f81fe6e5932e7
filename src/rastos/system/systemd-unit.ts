import type { RootView } from "./root-view.ts";

/** The part of systemd's unit files that is about enabling them (systemd.unit(5)). Pure. */

/** Where units lie, the strongest first. */
const FOLDERS = [
  "etc/systemd/system",
  "usr/local/lib/systemd/system",
  "usr/lib/systemd/system",
  "lib/systemd/system",
] as const;

/** A unit's file. */
export interface UnitFile {
  readonly path: string;
  readonly text: string;
  /** A link to /dev/null. */
  readonly isMasked: boolean;
}

/** What enabling a unit does. */
export interface UnitInstall {
  /** Its name, with the default instance of a template. */
  readonly unit: string;
  /** Links below etc/systemd/system. */
  readonly links: readonly string[];
  /** Units that are enabled and disabled with it. */
  readonly also: readonly string[];
}

/** The file of a unit: its own, or its template's. */
export function findUnit(view: RootView, unit: string): UnitFile | undefined {
  const template = unit.replace(/@[^@]*(\.[a-z]+)$/, "@$1");
  for (const name of template === unit ? [unit] : [unit, template]) {
    for (const folder of FOLDERS) {
      const path = `${folder}/${name}`;
      if (view.readLink(path) === "/dev/null") return { path, text: "", isMasked: true };
      if (view.status(path, { follow: true })?.kind !== "file") continue;
      return { path, text: view.readText(path) ?? "", isMasked: false };
    }
  }
  return undefined;
}

/** The names of all units that there are. */
export function unitNames(view: RootView): string[] {
  const names = FOLDERS.flatMap((folder) => view.names(folder));
  return [...new Set(names)].filter((name) => /\.[a-z]+$/.test(name));
}

/** The [Install] section. */
export function readInstall(text: string, unit: string): UnitInstall {
  const keys = installKeys(text);
  const list = (key: string): string[] => keys.get(key) ?? [];
  const isTemplate = /@\.[a-z]+$/.test(unit);
  const instance = list("DefaultInstance")[0];
  const own = isTemplate && instance !== undefined ? unit.replace("@.", `@${instance}.`) : unit;
  const named = (value: string): string => withSpecifiers(value, own);
  const below = (key: string, suffix: string): string[] =>
    list(key).map((target) => `${named(target)}.${suffix}/${own}`);
  const links = [
    ...below("WantedBy", "wants"),
    ...below("RequiredBy", "requires"),
    ...below("UpheldBy", "upholds"),
    ...list("Alias").map(named),
  ];
  // Names from a unit's file must not lead elsewhere.
  const isPlain = (path: string): boolean =>
    /^[^/]+(\/[^/]+)?$/.test(path) && !/^\.|\/\./.test(path);
  return { unit: own, links: [...new Set(links)].filter(isPlain), also: list("Also").map(named) };
}

function installKeys(text: string): Map<string, string[]> {
  const keys = new Map<string, string[]>();
  let section = "";
  for (const line of text.replaceAll(/\\\r?\n/g, " ").split(/\r?\n/)) {
    const header = /^\s*\[(.+)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) section = header;
    const [, key, value = ""] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section !== "Install" || key === undefined) continue;
    const words = value.split(/\s+/).filter((word) => word !== "");
    // An empty value takes back what was said before.
    keys.set(key, words.length === 0 ? [] : [...(keys.get(key) ?? []), ...words]);
  }
  return keys;
}

function withSpecifiers(value: string, unit: string): string {
  const stem = unit.replace(/\.[a-z]+$/, "");
  const at = stem.indexOf("@");
  const instance = at < 0 ? "" : stem.slice(at + 1);
  const values: Readonly<Record<string, string>> = {
    "%n": unit,
    "%N": stem,
    "%p": at < 0 ? stem : stem.slice(0, at),
    "%i": instance,
    "%I": instance,
    "%%": "%",
  };
  return value.replaceAll(/%[a-zA-Z%]/g, (found) => values[found] ?? found);
}
