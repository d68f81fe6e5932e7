import type { PackageList, SystemConfig } from "./types.ts";

/**
 * What the original's package list means here.
 *
 * @param empty a system that declares nothing
 */
export function configOfList(
  list: PackageList,
  empty: SystemConfig,
): { readonly config: SystemConfig; readonly notes: readonly string[] } {
  const official: string[] = [];
  const aur: string[] = [];
  const notes: string[] = [];
  const unsourced: string[] = [];
  for (const { name, version, source, options } of list.packages) {
    if (source === "aur") aur.push(name);
    else official.push(version === undefined ? name : `${name}=${version}`);
    if (source === undefined) unsourced.push(name);
    if (source === "aur" && version !== undefined) {
      notes.push(`"${name}": the AUR keeps no old versions, so version "${version}" is left out`);
    }
    if (options.length > 0) notes.push(`"${name}": options are not used: ${options.join(" ")}`);
  }
  if (unsourced.length > 0) {
    notes.push(
      `without a source, so taken from the repositories: ${unsourced.join(", ")} (in the ` +
        'original that meant the AUR; write source = "aur" where that was meant)',
    );
  }
  const { pre_install, post_install } = list;
  return {
    config: {
      ...empty,
      packages: { ...empty.packages, official: unique(official), aur: unique(aur) },
      hooks: { pre_install, post_install },
    },
    notes,
  };
}

/** The system.toml that says the same as a list. */
export function systemTextOf(config: SystemConfig): string {
  const { official, aur } = config.packages;
  const lines = ["[packages]", listLine("official", official)];
  if (aur.length > 0) lines.push(listLine("aur", aur));
  const { pre_install, post_install } = config.hooks;
  if (pre_install.length + post_install.length > 0) {
    lines.push("", "[hooks]");
    if (pre_install.length > 0) lines.push(listLine("pre_install", pre_install));
    if (post_install.length > 0) lines.push(listLine("post_install", post_install));
  }
  return `${lines.join("\n")}\n`;
}

/** JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped. */
function listLine(key: string, values: readonly string[]): string {
  const quoted = values.map((value) => JSON.stringify(value).replaceAll("\u007f", "\\u007f"));
  if (quoted.length === 0) return `${key} = []`;
  return `${key} = [\n${quoted.map((value) => `  ${value},\n`).join("")}]`;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
