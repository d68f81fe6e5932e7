import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ParsedArgs } from "../../../kit/cli/command.ts";
import { xdgPaths } from "../../../kit/config/paths.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import type { SystemSource } from "../../image/build.ts";
import type { SourceArgs } from "./source-args.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};

/** `4G`, `512M`, `1048576`; in binary units. @throws {Fault} E_USAGE */
export function parseSize(flag: string, text: string): number {
  const found = /^(\d{1,9}(?:\.\d{1,3})?)([KMGT]?)(i?B)?$/i.exec(text);
  const bytes = Number(found?.[1]) * (UNITS[(found?.[2] ?? "").toUpperCase()] ?? Number.NaN);
  // Partitions and file systems come in whole sectors.
  if (Number.isSafeInteger(Math.floor(bytes))) return Math.floor(bytes / 4096) * 4096;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot use "${text}" as --${flag}`,
    hint: "sizes are like 512M, 4G or 1.5T",
  });
}

/** What the flags say about the system. @throws {Fault} */
export async function sourceOf(
  args: ParsedArgs<SourceArgs>,
  systemPath: string | undefined,
): Promise<SystemSource> {
  const { readSystemFile } = await import("../../system/read.ts");
  const system = systemPath === undefined ? undefined : await readSystemFile(systemPath);
  if (args.base !== undefined && !existsSync(args.base)) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot use the base "${args.base}": no such folder`,
    });
  }
  return {
    system,
    base: args.base,
    espBytes: parseSize("esp-size", args["esp-size"]),
    cacheFolder: args.cache ?? join(xdgPaths(process.env).cache, "rastos", "packages"),
    gpgFolder: args.gpg ?? (existsSync(KEYS) ? KEYS : undefined),
    epochSeconds: epochOf(process.env["SOURCE_DATE_EPOCH"]),
    description: args.description,
  };
}

/** The keys of this machine's pacman. */
const KEYS = "/etc/pacman.d/gnupg";

function epochOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot use SOURCE_DATE_EPOCH="${text}"`,
    hint: "it is a whole number of seconds since 1970",
  });
}
