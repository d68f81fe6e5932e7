/** Wheel tags (PEP 425) in words: which Pythons, and which systems. Pure. */

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/^(many|musl)?linux/, "Linux"],
  [/^macosx/, "macOS"],
  [/^win/, "Windows"],
  [/^ios/, "iOS"],
  [/^android/, "Android"],
];

const IMPLEMENTATIONS: Readonly<Record<string, string>> = {
  cp: "CPython",
  pp: "PyPy",
  py: "Python",
};

/**
 * "CPython 3.7, 3.8 and 3.9 on Linux and Windows".
 *
 * @param tags as they stand in file names: python, ABI and platform, each dot-separated
 */
export function tagText(tags: readonly string[]): string {
  const versions = new Map<string, Set<string>>();
  const systems = new Set<string>();
  for (const tag of tags) {
    const [python = "", , platform = ""] = tag.split("-");
    for (const one of python.split(".")) note(one, versions);
    for (const one of platform.split(".")) {
      const system = SYSTEMS.find(([pattern]) => pattern.test(one))?.[1];
      if (one !== "any") systems.add(system ?? one);
    }
  }
  const pythons = [...versions].map(([name, found]) => {
    const sorted = [...found].sort((a, b) => order(a) - order(b));
    return sorted.length === 0 ? name : `${name} ${listed(sorted)}`;
  });
  const where = systems.size === 0 ? "" : ` on ${listed([...systems].sort())}`;
  return `${listed(pythons)}${where}`;
}

/** "cp310" is version 3.10 of CPython; what is not understood stands for itself. */
function note(tag: string, versions: Map<string, Set<string>>): void {
  const [, short = "", major = "", minor = ""] = /^([a-z]+)(\d)(\d*)$/.exec(tag) ?? [];
  const name = IMPLEMENTATIONS[short] ?? tag;
  const version = major === "" ? "" : minor === "" ? major : `${major}.${minor}`;
  const known = versions.get(name) ?? new Set<string>();
  if (version !== "") known.add(version);
  versions.set(name, known);
}

function order(version: string): number {
  const [major = "0", minor = "0"] = version.split(".");
  return Number(major) * 1000 + Number(minor);
}

function listed(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? "";
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
