/**
 * pip's configuration as `pip install` would see it: files for the machine, the user and the
 * environment, `PIP_CONFIG_FILE`, and `PIP_*` variables.
 *
 * @see https://pip.pypa.io/en/stable/topics/configuration/
 */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Environment } from "../../kit/config/paths.ts";
import { xdgPaths } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { ANY_FORMAT, addFormats, type FormatControl } from "./format-control.ts";
import { IniError, type IniSections, parseIni } from "./ini.ts";

/** What pip's configuration says; what it does not say is absent. */
export interface PipConfig {
  readonly indexUrl?: string;
  readonly extraIndexUrls?: readonly string[];
  readonly noIndex?: boolean;
  /** As written: addresses and paths. */
  readonly findLinks?: readonly string[];
  /** Path of a CA bundle. */
  readonly cert?: string;
  readonly clientCert?: string;
  readonly trustedHosts?: readonly string[];
  readonly proxy?: string;
  readonly timeoutSeconds?: number;
  readonly retries?: number;
  readonly preReleases?: boolean;
  readonly formats?: FormatControl;
  readonly constraints?: readonly string[];
  readonly requirements?: readonly string[];
  readonly requireHashes?: boolean;
  readonly noCache?: boolean;
  /** "disabled", "subprocess", "import", "auto". */
  readonly keyringProvider?: string;
  /** Where a key comes from: "/etc/pip.conf:3", "PIP_INDEX_URL"; undefined: not set. */
  originOf(key: Exclude<keyof PipConfig, "originOf">): string | undefined;
}

/** Where pip's configuration is looked for. */
export interface PipConfigOptions {
  readonly environment: Environment;
  /** Folder of the environment whose pip.conf counts; by default that of VIRTUAL_ENV. */
  readonly prefix?: string;
  readonly platform?: NodeJS.Platform;
}

/** A value with its place. */
export interface PipEntry {
  readonly value: string;
  readonly origin: string;
}

/**
 * Reads the files and variables.
 *
 * @throws {Fault} E_CONFIG a file that is no INI file, a value that is not what its key needs
 */
export function readPipConfig(options: PipConfigOptions): PipConfig {
  const entries = readPipEntries(options);
  const found = new Map<string, PipEntry>();
  // A variable goes before the section of the command, that before the section for all commands.
  for (const section of ["global", "install", ":env:"]) {
    for (const [key, entry] of entries) {
      if (!key.startsWith(`${section}.`) || entry.value === "") continue;
      found.set(key.slice(section.length + 1), entry);
    }
  }
  const origins = new Map<string, string>();
  const config: Record<string, unknown> = {};
  for (const [name, { key, read }] of Object.entries(KEYS)) {
    const entry = found.get(name);
    if (entry === undefined) continue;
    config[key] = read(entry, name);
    origins.set(key, entry.origin);
  }
  const formats = formatsOf(found);
  return {
    ...(config as Omit<PipConfig, "originOf">),
    ...(formats === undefined ? {} : { formats }),
    originOf: (key) => origins.get(key),
  };
}

/** All entries by `section.name`, variables under `:env:`, as `pip config list` has them. */
export function readPipEntries(options: PipConfigOptions): ReadonlyMap<string, PipEntry> {
  const entries = new Map<string, PipEntry>();
  const { environment } = options;
  for (const path of pipConfigFiles(options)) {
    for (const [section, values] of readIniFile(path)) {
      for (const [name, { value, line }] of values) {
        entries.set(`${section}.${normalizeKey(name)}`, { value, origin: `${path}:${line}` });
      }
    }
  }
  for (const [variable, value] of Object.entries(environment)) {
    const name = /^PIP_(.*)$/s.exec(variable)?.[1]?.toLowerCase();
    if (name === undefined || value === undefined || name === "version" || name === "help")
      continue;
    entries.set(`:env:.${normalizeKey(name)}`, { value, origin: variable });
  }
  return entries;
}

/** The files in the order in which they override each other; they need not exist. */
export function pipConfigFiles(options: PipConfigOptions): string[] {
  const { environment } = options;
  const own = environment["PIP_CONFIG_FILE"];
  if (own === "/dev/null" || own?.toLowerCase() === "nul") return [];
  const isOwnThere = own !== undefined && existsSync(own);
  const { global, user, basename } = places(options);
  const prefix = options.prefix ?? environment["VIRTUAL_ENV"];
  return [
    ...global.map((folder) => join(folder, basename)),
    ...(isOwnThere ? [] : user.map((folder) => join(folder, basename))),
    ...(prefix === undefined || prefix === "" ? [] : [join(prefix, basename)]),
    ...(own === undefined ? [] : [own]),
  ];
}

function places({ environment, platform = process.platform }: PipConfigOptions): {
  global: readonly string[];
  user: readonly string[];
  basename: string;
} {
  const { config } = xdgPaths(environment);
  const home = environment["HOME"] ?? "";
  switch (platform) {
    case "win32": {
      const userHome = environment["USERPROFILE"] ?? home;
      return {
        global: [join(environment["ProgramData"] ?? "C:\\ProgramData", "pip")],
        user: [join(userHome, "pip"), join(environment["APPDATA"] ?? userHome, "pip")],
        basename: "pip.ini",
      };
    }
    case "darwin": {
      const support = join(home, "Library/Application Support/pip");
      return {
        global: ["/Library/Application Support/pip"],
        user: [join(home, ".pip"), existsSync(support) ? support : join(home, ".config/pip")],
        basename: "pip.conf",
      };
    }
    default: {
      const folders = (environment["XDG_CONFIG_DIRS"] || "/etc/xdg").split(delimiter);
      return {
        global: [...folders.map((folder) => join(folder, "pip")), "/etc"],
        user: [join(home, ".pip"), join(config, "pip")],
        basename: "pip.conf",
      };
    }
  }
}

function readIniFile(path: string): IniSections {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    // pip passes over what it cannot read.
    return new Map();
  }
  try {
    return parseIni(text);
  } catch (error) {
    if (!(error instanceof IniError)) throw error;
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${path}:${error.line}"`,
      cause: new Error(error.message),
      hint: "it is a configuration file of pip",
    });
  }
}

/** One key whatever its spelling: `PIP_INDEX_URL`, `index_url`, `--index-url`. */
function normalizeKey(name: string): string {
  return name.toLowerCase().replaceAll("_", "-").replace(/^--/, "");
}

type Reader = (entry: PipEntry, name: string) => unknown;

const text: Reader = ({ value }) => value;
const words: Reader = ({ value }) => value.split(/\s+/).filter((word) => word !== "");

const flag: Reader = (entry, name) => {
  const value = entry.value.toLowerCase();
  if (/^(?:y|yes|t|true|on|1)$/.test(value)) return true;
  if (/^(?:n|no|f|false|off|0)$/.test(value)) return false;
  throw wrongEntry(entry, name, "true or false");
};

const count: Reader = (entry, name) => {
  const value = entry.value.trim();
  if (!/^\d{1,9}$/.test(value)) throw wrongEntry(entry, name, "a whole number");
  return Number(value);
};

const seconds: Reader = (entry, name) => {
  const value = Number(entry.value);
  if (!(value > 0)) throw wrongEntry(entry, name, "a number of seconds");
  return value;
};

/** pip turns its cache off for every value, "false" too: so it was once, so it has to stay. */
const noCache: Reader = (entry, name) => {
  flag(entry, name);
  return true;
};

const KEYS: Readonly<Record<string, { readonly key: keyof PipConfig; readonly read: Reader }>> = {
  "index-url": { key: "indexUrl", read: text },
  "pypi-url": { key: "indexUrl", read: text },
  "extra-index-url": { key: "extraIndexUrls", read: words },
  "no-index": { key: "noIndex", read: flag },
  "find-links": { key: "findLinks", read: words },
  cert: { key: "cert", read: text },
  "client-cert": { key: "clientCert", read: text },
  "trusted-host": { key: "trustedHosts", read: words },
  proxy: { key: "proxy", read: text },
  timeout: { key: "timeoutSeconds", read: seconds },
  "default-timeout": { key: "timeoutSeconds", read: seconds },
  retries: { key: "retries", read: count },
  pre: { key: "preReleases", read: flag },
  constraint: { key: "constraints", read: words },
  requirement: { key: "requirements", read: words },
  "require-hashes": { key: "requireHashes", read: flag },
  "no-cache-dir": { key: "noCache", read: noCache },
  "keyring-provider": { key: "keyringProvider", read: text },
};

function formatsOf(found: ReadonlyMap<string, PipEntry>): FormatControl | undefined {
  let formats = ANY_FORMAT;
  // In the order in which pip meets them: the later one counts.
  for (const [name, { value }] of found) {
    if (name === "no-binary") formats = addFormats(formats, "noBinary", value);
    if (name === "only-binary") formats = addFormats(formats, "onlyBinary", value);
  }
  return formats === ANY_FORMAT ? undefined : formats;
}

function wrongEntry({ value, origin }: PipEntry, name: string, wanted: string): Fault {
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot use "${origin}": "${name}" is "${value}", but must be ${wanted}`,
    hint: "it is a setting of pip",
  });
}
