import { machineName, serverUrl } from "../machine.ts";
import { DEFAULT_SIGNATURE_LEVEL } from "../signature-level.ts";
import type { PackageRootOptions } from "../types.ts";

/** The pacman.conf(5) that says the same as the options. Pure but for this machine's name. */
export function configTextOf(options: PackageRootOptions): string {
  const architecture = options.architecture ?? machineName();
  const lines = [
    "[options]",
    `Architecture = ${architecture}`,
    `SigLevel = ${options.signatureLevel ?? DEFAULT_SIGNATURE_LEVEL}`,
    `LocalFileSigLevel = ${options.fileSignatureLevel ?? "Optional"}`,
    "ParallelDownloads = 4",
    "CheckSpace",
    ...listLine("IgnoreGroup", options.ignoredGroups),
    ...listLine("NoUpgrade", options.keptFiles),
    ...listLine("NoExtract", options.leftOutFiles),
  ];
  for (const { name, servers, signatureLevel } of options.repositories) {
    lines.push(`[${name}]`);
    if (signatureLevel !== undefined) lines.push(`SigLevel = ${signatureLevel}`);
    for (const server of servers) lines.push(`Server = ${serverUrl(server, name, architecture)}`);
  }
  return `${lines.join("\n")}\n`;
}

function listLine(key: string, words: readonly string[] = []): readonly string[] {
  return words.length === 0 ? [] : [`${key} = ${words.join(" ")}`];
}
