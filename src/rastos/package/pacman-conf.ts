import { Fault } from "../../kit/fault/fault.ts";
import { signatureLevelOf } from "./signature-level.ts";
import type { Repository } from "./types.ts";

/** What counts here of a pacman.conf(5). */
export interface PacmanConfig {
  readonly repositories: readonly Repository[];
  /** SigLevel of `[options]`. */
  readonly signatureLevel: string | undefined;
  readonly fileSignatureLevel: string | undefined;
  /** The first one; undefined for `auto`. */
  readonly architecture: string | undefined;
  readonly ignored: readonly string[];
  readonly ignoredGroups: readonly string[];
  readonly downloadUser: string | undefined;
  /** NoUpgrade. */
  readonly keptFiles: readonly string[];
  /** NoExtract. */
  readonly leftOutFiles: readonly string[];
}

/** A file of it: `Include` may bring several. */
export interface ConfigFile {
  /** For messages. */
  readonly path: string;
  readonly text: string;
}

const INCLUDES_DEEP = 10;

/**
 * Reads a pacman.conf(5) with the files that it includes. Directives that do not count here are
 * left out. Pure but for `include`.
 *
 * @param include the files that a path, which may be a glob, stands for
 * @throws {Fault} E_CONFIG with file and line
 */
export function parsePacmanConfig(
  file: ConfigFile,
  include: (pattern: string) => readonly ConfigFile[],
): PacmanConfig {
  const reader = new Reader(include);
  reader.read(file, undefined, 0);
  return reader.config();
}

interface Section {
  readonly name: string;
  readonly servers: string[];
  signatureLevel: string[];
}

class Reader {
  readonly #include: (pattern: string) => readonly ConfigFile[];
  readonly #sections: Section[] = [];
  readonly #options = new Map<string, string[]>();

  constructor(include: (pattern: string) => readonly ConfigFile[]) {
    this.#include = include;
  }

  /** Returns the section that the file ends in: an included one may begin one. */
  read(file: ConfigFile, begun: string | undefined, depth: number): string | undefined {
    let section = begun;
    for (const [index, raw] of file.text.split("\n").entries()) {
      const line = raw.trim();
      const place = `${file.path}:${index + 1}`;
      if (line === "" || line.startsWith("#")) continue;
      const name = /^\[(.*)\]$/.exec(line)?.[1];
      if (name !== undefined) {
        section = this.#begin(name.trim(), place);
        continue;
      }
      const equals = line.indexOf("=");
      const key = (equals === -1 ? line : line.slice(0, equals)).trim();
      const value = equals === -1 ? "" : line.slice(equals + 1).trim();
      if (section === undefined) throw wrong(place, `"${key}" stands before the first section`);
      if (key === "Include") section = this.#includeAll(value, section, { place, depth });
      else this.#set(section, key, value, place);
    }
    return section;
  }

  config(): PacmanConfig {
    const many = (key: string): string[] => this.#options.get(key) ?? [];
    const level = many("SigLevel").join(" ");
    const files = many("LocalFileSigLevel").join(" ");
    const architecture = many("Architecture").find((word) => word !== "auto");
    return {
      repositories: this.#sections.map(({ name, servers, signatureLevel }) => ({
        name,
        servers,
        ...(signatureLevel.length > 0 ? { signatureLevel: signatureLevel.join(" ") } : {}),
      })),
      signatureLevel: level === "" ? undefined : level,
      fileSignatureLevel: files === "" ? undefined : files,
      architecture,
      ignored: many("IgnorePkg"),
      ignoredGroups: many("IgnoreGroup"),
      downloadUser: many("DownloadUser").at(-1),
      keptFiles: many("NoUpgrade"),
      leftOutFiles: many("NoExtract"),
    };
  }

  #begin(name: string, place: string): string {
    if (name === "options") return name;
    if (!/^[^\s/.-][^\s/]*$/.test(name)) throw wrong(place, `"${name}" is no name of a repository`);
    if (!this.#sections.some((section) => section.name === name)) {
      this.#sections.push({ name, servers: [], signatureLevel: [] });
    }
    return name;
  }

  #includeAll(
    pattern: string,
    section: string,
    { place, depth }: { readonly place: string; readonly depth: number },
  ): string {
    if (pattern === "") throw wrong(place, "Include names no file");
    if (depth >= INCLUDES_DEEP)
      throw wrong(place, `more than ${INCLUDES_DEEP} files in each other`);
    let current: string = section;
    for (const file of this.#include(pattern)) {
      current = this.read(file, current, depth + 1) ?? current;
    }
    return current;
  }

  #set(section: string, key: string, value: string, place: string): void {
    const words = value.split(/\s+/).filter((word) => word !== "");
    if (key === "SigLevel" || key === "LocalFileSigLevel") checkLevel(value, place);
    if (section === "options") {
      this.#options.set(key, [...(this.#options.get(key) ?? []), ...words]);
      return;
    }
    const repository = this.#sections.find(({ name }) => name === section);
    if (key === "Server") {
      if (value === "") throw wrong(place, "Server names none");
      repository?.servers.push(value);
    } else if (key === "SigLevel") repository?.signatureLevel.push(...words);
  }
}

function checkLevel(value: string, place: string): void {
  try {
    signatureLevelOf(value);
  } catch (error) {
    throw error instanceof Fault ? wrong(place, error.message, error.hint) : error;
  }
}

function wrong(place: string, what: string, hint?: string): Fault {
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot use "${place}": ${what}`,
    hint: hint ?? "pacman.conf(5) says how it is written",
  });
}
