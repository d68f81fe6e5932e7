import { readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import type { ConfigValues } from "./verify.ts";

/** Kbuild files number some 3,000; more means that folders lead back to each other. */
const FOLDERS_MAX = 20_000;

/**
 * About how many files a configuration makes a kernel compile, by the object lists of its Kbuild
 * files. Never more than a hint: conditions other than `$(CONFIG_…)` are not understood.
 */
export function estimateFiles(source: string, architecture: string, config: ConfigValues): number {
  const objects = new Set<string>();
  const folders = ["init", "usr", "arch", "kernel", "certs", "mm", "fs", "ipc", "security"];
  const more = ["crypto", "block", "io_uring", "lib", "drivers", "sound", "net", "virt"];
  const queue = [...folders, ...more, `arch/${architecture}`, `arch/${architecture}/lib`];
  const seen = new Set<string>();
  while (queue.length > 0 && seen.size < FOLDERS_MAX) {
    const folder = normalize(queue.pop() ?? "");
    if (seen.has(folder) || folder.startsWith("..")) continue;
    seen.add(folder);
    const lists = readLists(source, folder, config, architecture);
    for (const name of lists.goals) {
      if (name.endsWith("/")) queue.push(join(folder, name));
      else for (const object of partsOf(name, lists.parts, 0)) objects.add(join(folder, object));
    }
  }
  return objects.size;
}

interface ObjectLists {
  /** `super.o`, `btrfs/`. */
  readonly goals: readonly string[];
  /** What composite objects are made of, by name without `.o`. */
  readonly parts: ReadonlyMap<string, readonly string[]>;
}

function readLists(
  source: string,
  folder: string,
  config: ConfigValues,
  architecture: string,
): ObjectLists {
  const goals: string[] = [];
  const parts = new Map<string, string[]>();
  const text = readKbuild(source, folder).replace(/\\\n/g, " ");
  const expand = (name: string): string => name.replaceAll("$(SRCARCH)", architecture);
  for (const line of text.split("\n")) {
    const [, list, suffix, values] = ASSIGNMENT.exec(line) ?? [];
    if (list === undefined || suffix === undefined || !isOn(suffix, list, config)) continue;
    const names = expand(values ?? "")
      .split(/\s+/)
      .filter((name) => /^[\w./-]+(\.o|\/)$/.test(name));
    if (GOALS.has(list)) goals.push(...names);
    else parts.set(list, [...(parts.get(list) ?? []), ...names]);
  }
  return { goals, parts };
}

/** `obj-$(CONFIG_X) += a.o`, `btrfs-y := super.o`, `btrfs-objs := …`; comments end a value. */
const ASSIGNMENT = /^\s*([\w-]+?)-(y|m|objs|\$\(CONFIG_\w+\))\s*[+:]?=\s*([^#]*)/;
const GOALS = new Set(["obj", "lib", "core", "libs", "drivers", "net", "virt"]);

function isOn(suffix: string, list: string, config: ConfigValues): boolean {
  if (suffix === "y" || suffix === "objs") return true;
  if (suffix === "m") return config.get("MODULES") === "y" || !GOALS.has(list);
  const value = config.get(suffix.slice("$(CONFIG_".length, -1));
  return value === "y" || value === "m";
}

function partsOf(
  object: string,
  parts: ReadonlyMap<string, readonly string[]>,
  depth: number,
): readonly string[] {
  const members = parts.get(object.replace(/\.o$/, ""));
  if (members === undefined || depth > 4) return [object];
  return members.flatMap((name) => (name === object ? [name] : partsOf(name, parts, depth + 1)));
}

function readKbuild(source: string, folder: string): string {
  for (const name of ["Kbuild", "Makefile"]) {
    try {
      return readFileSync(join(source, folder, name), "utf8");
    } catch {
      // The other name, or a folder without either.
    }
  }
  return "";
}
