/** requirements.txt and constraints files, by pip's rules, with what they include. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { suggest } from "../../kit/cli/suggest.ts";
import type { Environment } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { redactCredentials, sanitise } from "../../kit/fault/redact.ts";
import { PepError, quote } from "../pep/error.ts";
import { ANY_FORMAT, addFormats, type FormatControl } from "./format-control.ts";
import { type ProjectRequirement, readRequirement } from "./requirement-line.ts";
import { decodeText, logicalLines } from "./requirements-lines.ts";
import { type LineOption, parseLine } from "./requirements-options.ts";

/** A value with the place that it comes from. */
export interface Located {
  readonly value: string;
  readonly origin: string;
}

/** A requirement of such a file. */
export interface FileRequirement extends ProjectRequirement {
  /** `--config-settings` of its line, for a build: a key that is there twice has a list. */
  readonly configSettings?: Readonly<Record<string, string | readonly string[]>>;
}

/** What requirements files say together. */
export interface RequirementsFiles {
  readonly requirements: readonly FileRequirement[];
  readonly constraints: readonly ProjectRequirement[];
  /** In place of the index that holds otherwise; the last one counts. */
  readonly indexUrl?: Located;
  readonly extraIndexUrls: readonly Located[];
  readonly noIndex: boolean;
  /** Addresses, and absolute paths. */
  readonly findLinks: readonly Located[];
  readonly trustedHosts: readonly Located[];
  readonly formats: FormatControl;
  readonly preReleases: boolean;
  readonly preferBinary: boolean;
  /** Every requirement needs a hash: because a file says so, or because one of them has one. */
  readonly requireHashes: boolean;
  /** What is taken and has no effect. */
  readonly notes: readonly string[];
}

/** How requirements files are read. */
export interface RequirementsOptions {
  /** Folder that paths of requirements start from (as pip does it: not that of the file). */
  readonly base: string;
  /** For `${NAME}`. */
  readonly environment: Environment;
  /** Gets files named by address; without it they are refused. */
  readonly fetchText?: (url: string) => Promise<string>;
  /** Start values of --no-binary and --only-binary. */
  readonly formats?: FormatControl;
}

/** A file to read. */
export interface RequirementsSource {
  /** Path or address, relative to `base`. */
  readonly path: string;
  readonly constraint: boolean;
}

/**
 * Reads files and everything that they include.
 *
 * @throws {Fault} E_CONFIG with file and line of what is wrong; E_NOT_FOUND for a file that is not
 *   there
 */
export async function readRequirementsFiles(
  sources: readonly RequirementsSource[],
  options: RequirementsOptions,
): Promise<RequirementsFiles> {
  const reader = new Reader(options);
  for (const source of sources) {
    const isPath = source.path !== STDIN && !isAddress(source.path);
    const path = isPath ? resolve(options.base, source.path) : source.path;
    await reader.read({ path, shown: source.path, constraint: source.constraint, above: [] });
  }
  return reader.result();
}

/**
 * Reads a project's own file: paths of requirements start from its folder.
 *
 * @param shown its name for messages, if that is not the path
 */
export async function readRequirementsFile(
  path: string,
  options: Pick<RequirementsOptions, "environment" | "fetchText">,
  shown = path,
): Promise<RequirementsFiles> {
  const reader = new Reader({ ...options, base: dirname(resolve(path)) });
  await reader.read({ path: resolve(path), shown, constraint: false, above: [] });
  return reader.result();
}

/** Stands for standard input. */
const STDIN = "-";

/** Files that include each other in a row deeper than this are a mistake. */
const DEPTH_MAX = 64;

/** A file on its way to be read. */
interface OpenFile {
  /** Absolute, or an address. */
  readonly path: string;
  readonly shown: string;
  readonly constraint: boolean;
  /** Paths of the files that include it, outermost first. */
  readonly above: readonly string[];
}

class Reader {
  readonly #options: RequirementsOptions;
  readonly #requirements: FileRequirement[] = [];
  readonly #constraints: ProjectRequirement[] = [];
  readonly #extraIndexUrls: Located[] = [];
  readonly #findLinks: Located[] = [];
  readonly #trustedHosts: Located[] = [];
  readonly #notes: string[] = [];
  #indexUrl: Located | undefined;
  #formats: FormatControl;
  #noIndex = false;
  #preReleases = false;
  #preferBinary = false;
  #requireHashes = false;
  #noRequireHashes = false;

  constructor(options: RequirementsOptions) {
    this.#options = options;
    this.#formats = options.formats ?? ANY_FORMAT;
  }

  result(): RequirementsFiles {
    return {
      requirements: this.#requirements,
      constraints: this.#constraints,
      ...(this.#indexUrl === undefined ? {} : { indexUrl: this.#indexUrl }),
      extraIndexUrls: this.#extraIndexUrls,
      noIndex: this.#noIndex,
      findLinks: this.#findLinks,
      trustedHosts: this.#trustedHosts,
      formats: this.#formats,
      preReleases: this.#preReleases,
      preferBinary: this.#preferBinary,
      requireHashes: this.#requireHashes && !this.#noRequireHashes,
      notes: this.#notes,
    };
  }

  async read(file: OpenFile): Promise<void> {
    const text = await this.#textOf(file);
    for (const { number, text: line } of logicalLines(text, this.#options.environment)) {
      const origin = `${file.shown}:${number}`;
      const { argument, options } = partsOf(line, origin);
      if (argument !== "") this.#addRequirement(argument, options, file, origin);
      else await this.#addOptions(options, file, origin);
    }
  }

  async #textOf({ path, shown, above }: OpenFile): Promise<string> {
    const { fetchText } = this.#options;
    if (isAddress(path)) {
      if (fetchText !== undefined) return fetchText(path);
      throw new Fault({ code: "E_USAGE", message: `Cannot fetch "${redactCredentials(path)}"` });
    }
    try {
      return decodeText(readFileSync(path === STDIN ? 0 : path));
    } catch (error) {
      const from = above.length === 0 ? "" : `, which "${above.at(-1)}" includes`;
      const isText = error instanceof PepError;
      const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
      throw new Fault({
        code: isText ? "E_CONFIG" : isAbsent ? "E_NOT_FOUND" : "E_IO",
        message: `Cannot read "${sanitise(shown)}"${from}${isAbsent ? ": no such file" : ""}`,
        cause: isAbsent ? undefined : error,
        hint: isAbsent ? nearest(path) : undefined,
      });
    }
  }

  #addRequirement(
    text: string,
    options: readonly LineOption[],
    file: OpenFile,
    origin: string,
  ): void {
    const hashes = options.filter(({ name }) => name === "hash").map(({ value }) => value);
    for (const { name } of options) {
      if (name === "hash" || name === "config-settings") continue;
      this.#notes.push(`"--${name}" behind the requirement of "${origin}" has no effect`);
    }
    const place = { origin, base: this.#options.base, hashes };
    const requirement = readRequirement(text, place);
    if (hashes.length > 0) this.#requireHashes = true;
    this.#add(requirement, file, settingsOf(options));
  }

  #add(
    requirement: ProjectRequirement,
    file: OpenFile,
    settings: FileRequirement["configSettings"],
  ): void {
    if (!file.constraint) {
      const withSettings = settings === undefined ? {} : { configSettings: settings };
      this.#requirements.push({ ...requirement, ...withSettings });
      return;
    }
    const wrong = constraintProblem(requirement);
    if (wrong !== undefined) {
      throw new Fault({
        code: "E_CONFIG",
        message:
          `Cannot use "${requirement.origin}": ${quote(redactCredentials(requirement.text))} is ` +
          `no constraint, because ${wrong}`,
      });
    }
    this.#constraints.push(requirement);
  }

  async #addOptions(options: readonly LineOption[], file: OpenFile, origin: string): Promise<void> {
    for (const { name, value } of options) {
      if (name === "requirement" || name === "constraint") {
        await this.read(included(value, name === "constraint", file, origin));
      } else if (name === "editable") {
        const place = { origin, base: this.#options.base, editable: true };
        this.#add(readRequirement(value, place), file, settingsOf(options));
      } else {
        this.#addOption({ name, value }, file, origin);
      }
    }
  }

  #addOption({ name, value }: LineOption, file: OpenFile, origin: string): void {
    switch (name) {
      case "index-url":
        this.#indexUrl = { value, origin };
        return;
      case "extra-index-url":
        this.#extraIndexUrls.push({ value, origin });
        return;
      case "no-index":
        this.#noIndex = true;
        return;
      case "find-links":
        this.#findLinks.push({ value: this.#linksPlace(value, file), origin });
        return;
      case "no-binary":
      case "only-binary": {
        const option = name === "no-binary" ? "noBinary" : "onlyBinary";
        this.#formats = toldAt(origin, () => addFormats(this.#formats, option, value));
        return;
      }
      case "prefer-binary":
        this.#preferBinary = true;
        return;
      case "require-hashes":
        this.#requireHashes = true;
        return;
      case "no-require-hashes":
        this.#noRequireHashes = true;
        return;
      case "pre":
        this.#preReleases = true;
        return;
      case "all-releases":
        if (value === ":all:") this.#preReleases = true;
        else this.#notes.push(`"--${name}" of "${origin}" has no effect for single names`);
        return;
      case "trusted-host":
        this.#trustedHosts.push({ value, origin });
        return;
      default:
        this.#notes.push(`"--${name}" of "${origin}" has no effect`);
    }
  }

  /** A folder beside the file comes before one of the same name elsewhere. */
  #linksPlace(value: string, file: OpenFile): string {
    if (/^[a-z][a-z0-9+.-]*:/i.test(value)) return value;
    if (isAddress(file.path)) return resolve(this.#options.base, value);
    const beside = resolve(dirname(file.path), value);
    const isThere = statSync(beside, { throwIfNoEntry: false }) !== undefined;
    return isThere ? beside : resolve(this.#options.base, value);
  }
}

/** The file that a line includes: relative to the file that the line stands in. */
function included(value: string, constraint: boolean, file: OpenFile, origin: string): OpenFile {
  let path = value;
  let shown = value;
  if (isAddress(file.path) && !isAddress(value)) {
    path = new URL(value, file.path).href;
    shown = path;
  } else if (/^file:/i.test(value)) {
    path = Bun.fileURLToPath(value);
  } else if (!isAddress(value)) {
    path = resolve(dirname(file.path), value);
    shown = isAbsolute(value) ? value : join(dirname(file.shown), value);
  }
  const above = [...file.above, file.path];
  if (above.includes(path) || above.length > DEPTH_MAX) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${origin}": "${sanitise(value)}" includes itself`,
      hint: [...above, path].map((one) => sanitise(one)).join(" > "),
    });
  }
  return { path, shown, constraint, above };
}

/** A file in the same folder whose name is nearly the one that is not there. */
function nearest(path: string): string | undefined {
  let names: readonly string[];
  try {
    names = readdirSync(dirname(path));
  } catch {
    return undefined;
  }
  const found = suggest(
    basename(path),
    names.map((word) => ({ word })),
  );
  return found === undefined ? undefined : `did you mean "${sanitise(found)}"?`;
}

function isAddress(path: string): boolean {
  return /^https?:/i.test(path);
}

/** Why something cannot be a constraint; undefined: it can. */
function constraintProblem(requirement: ProjectRequirement): string | undefined {
  if (requirement.editable) return "it is editable";
  if (requirement.name === undefined) return "it has no name";
  return requirement.extras.length > 0 ? "it has extras" : undefined;
}

function settingsOf(options: readonly LineOption[]): FileRequirement["configSettings"] {
  const settings: Record<string, string | string[]> = {};
  for (const { name, value } of options) {
    if (name !== "config-settings") continue;
    const equals = value.indexOf("=");
    const key = value.slice(0, equals);
    const old = settings[key];
    const next = value.slice(equals + 1);
    settings[key] = old === undefined ? next : [old, next].flat();
  }
  return Object.keys(settings).length === 0 ? undefined : settings;
}

function partsOf(line: string, origin: string): ReturnType<typeof parseLine> {
  return toldAt(origin, () => parseLine(line));
}

function toldAt<T>(origin: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PepError)) throw error;
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${origin}"`,
      cause: new Error(redactCredentials(error.message)),
    });
  }
}
