/** Which files of kernel modules are needed, and in which order they are loaded. Pure. */

/** What `depmod` has written about the modules of a kernel, as texts. */
export interface ModuleIndex {
  /** modules.dep: file, colon, the files that it needs. */
  readonly dependencies: string;
  /** modules.builtin: files that are part of the kernel. */
  readonly builtin: string;
  /** modules.softdep: what should be loaded before or after. */
  readonly soft: string;
  /** modules.alias, for the names that soft dependencies use. */
  readonly aliases: string;
}

/** Files of modules in the order in which they are loaded, relative to the modules' folder. */
export interface ModuleClosure {
  readonly files: readonly string[];
  /** Names that are neither a module nor part of the kernel. */
  readonly missing: readonly string[];
}

/** The modules of these names with all that they need, each before what needs it. */
export function closeModules(index: ModuleIndex, names: readonly string[]): ModuleClosure {
  const files = new Map<string, string>();
  const needs = new Map<string, readonly string[]>();
  for (const line of index.dependencies.split("\n")) {
    const [file, rest] = line.split(":");
    if (file === undefined || rest === undefined) continue;
    files.set(moduleName(file), file);
    needs.set(
      file,
      rest
        .trim()
        .split(/\s+/)
        .filter((one) => one !== ""),
    );
  }
  const builtin = new Set(
    index.builtin
      .split("\n")
      .filter((line) => line !== "")
      .map(moduleName),
  );
  const before = softDependencies(index.soft);
  const aliases = plainAliases(index.aliases);
  const order: string[] = [];
  const seen = new Set<string>();
  const addFile = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const name = moduleName(file);
    for (const wanted of before.get(name) ?? []) addName(wanted);
    // depmod lists what is needed from the nearest to the farthest: it is loaded from behind.
    for (const needed of [...(needs.get(file) ?? [])].reverse()) addFile(needed);
    order.push(file);
  };
  /** Whether the name is known at all. */
  const addName = (given: string): boolean => {
    const name = normal(given);
    const file = files.get(name);
    if (file !== undefined) addFile(file);
    const others = file === undefined ? (aliases.get(name) ?? []) : [];
    for (const other of others) addName(other);
    return file !== undefined || others.length > 0 || builtin.has(name);
  };
  const missing = names.filter((name) => !addName(name));
  return { files: order, missing };
}

/** `kernel/fs/btrfs/btrfs.ko.xz` is `btrfs`; `-` and `_` are one. */
export function moduleName(file: string): string {
  return normal((file.split("/").at(-1) ?? "").replace(/\.ko(\.\w+)?$/, ""));
}

function normal(name: string): string {
  return name.replaceAll("-", "_");
}

/** From lines such as `softdep btrfs pre: crc32c xxhash64 post: x`: what comes before. */
function softDependencies(text: string): ReadonlyMap<string, readonly string[]> {
  const before = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [keyword, name, ...words] = line.trim().split(/\s+/);
    if (keyword !== "softdep" || name === undefined) continue;
    const list = before.get(normal(name)) ?? [];
    let isBefore = false;
    for (const word of words) {
      if (word.endsWith(":")) isBefore = word === "pre:";
      else if (isBefore) list.push(word);
    }
    before.set(normal(name), list);
  }
  return before;
}

/**
 * Aliases without patterns, such as `crc32c`, by name. The generic implementation comes first: it
 * is the one that works on every machine.
 */
function plainAliases(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [keyword, alias, name] = line.split(" ");
    if (keyword !== "alias" || alias === undefined || name === undefined) continue;
    if (/[*?[:]/.test(alias)) continue;
    const list = found.get(normal(alias)) ?? [];
    if (/generic$/.test(name)) list.unshift(name);
    else list.push(name);
    found.set(normal(alias), list);
  }
  return found;
}
