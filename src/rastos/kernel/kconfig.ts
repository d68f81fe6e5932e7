import { readFileSync } from "node:fs";
import { join, normalize } from "node:path";

/** One definition of a symbol; a symbol may have several. */
export interface SymbolDefinition {
  readonly name: string;
  /** `fs/btrfs/Kconfig:3`. */
  readonly place: string;
  /** bool, tristate, int, hex or string; undefined in definitions that only add to another. */
  readonly type: string | undefined;
  /** Whether people are asked: what has no prompt cannot be set by a configuration. */
  readonly hasPrompt: boolean;
  /** What `depends on`, the menus and the ifs around it and the prompt's own `if` say. */
  readonly conditions: readonly string[];
  /** The choice that it is a member of, by place. */
  readonly choice: string | undefined;
}

/** All symbols of a kernel source. */
export interface KernelSymbols {
  definitions(symbol: string): readonly SymbolDefinition[];
  /** Who selects the symbol, and under which condition. */
  selectors(symbol: string): readonly Selector[];
  /** The other members of the choices that the symbol is in. */
  choiceMembers(symbol: string): readonly string[];
}

/** `select X if Y` in the definition of `by`. */
export interface Selector {
  readonly by: string;
  readonly condition: string | undefined;
}

/** Linux has some 1,600 of them; more means that they include each other. */
const FILES_MAX = 10_000;

/**
 * Reads the Kconfig files of a source, roughly: definitions, dependencies, selections and choices.
 * Macros are not run, so what they would tell stays open.
 *
 * @param architecture the folder under arch/: `x86`
 */
export function readKconfig(source: string, architecture: string): KernelSymbols {
  const reader = new Reader(source, architecture);
  reader.file("Kconfig", []);
  return reader;
}

interface Block {
  readonly kind: "if" | "menu" | "choice";
  readonly conditions: string[];
  readonly place: string;
}

interface OpenDefinition {
  name: string;
  place: string;
  type: string | undefined;
  hasPrompt: boolean;
  own: string[];
  readonly blocks: readonly Block[];
}

class Reader implements KernelSymbols {
  readonly #source: string;
  readonly #architecture: string;
  readonly #definitions = new Map<string, SymbolDefinition[]>();
  readonly #selectors = new Map<string, Selector[]>();
  readonly #choices = new Map<string, string[]>();
  #files = 0;

  constructor(source: string, architecture: string) {
    this.#source = source;
    this.#architecture = architecture;
  }

  definitions(symbol: string): readonly SymbolDefinition[] {
    return this.#definitions.get(symbol) ?? [];
  }

  selectors(symbol: string): readonly Selector[] {
    return this.#selectors.get(symbol) ?? [];
  }

  choiceMembers(symbol: string): readonly string[] {
    const choices = this.definitions(symbol).flatMap(({ choice }) => choice ?? []);
    return choices.flatMap((choice) => this.#choices.get(choice) ?? []);
  }

  /** A file that is missing is skipped: some architectures name some that they do not have. */
  file(path: string, outer: readonly Block[]): void {
    const text = readInside(this.#source, path);
    this.#files += 1;
    if (text === undefined || this.#files > FILES_MAX) return;
    const blocks = [...outer];
    let open: OpenDefinition | undefined;
    const close = (): void => {
      if (open !== undefined) this.#add(open);
      open = undefined;
    };
    for (const { words, rest, line } of statements(text)) {
      const place = `${path}:${line}`;
      const top = blocks.at(-1);
      if (words === "config" || words === "menuconfig") {
        close();
        open = {
          name: rest,
          place,
          type: undefined,
          hasPrompt: false,
          own: [],
          blocks: [...blocks],
        };
      } else if (words === "if" || words === "menu" || words === "choice") {
        close();
        blocks.push({ kind: words, place, conditions: words === "if" ? [rest] : [] });
      } else if (/^end(if|menu|choice)$/.test(words)) {
        close();
        if (blocks.length > outer.length) blocks.pop();
      } else if (/^o?r?source$/.test(words)) {
        close();
        this.file(this.#sourced(path, words, rest), blocks);
      } else if (words === "comment" || words === "mainmenu") {
        close();
      } else if (open !== undefined) this.#property(open, words, rest);
      else if (words === "depends" && top !== undefined && top.kind !== "if") {
        top.conditions.push(rest.replace(/^on\s+/, ""));
      }
    }
    close();
  }

  #sourced(from: string, words: string, rest: string): string {
    const expanded = rest
      .replace(/^"(.*)"$/, "$1")
      .replace(/\$\((?:SRCARCH|HEADER_ARCH)\)|\$SRCARCH/g, this.#architecture);
    return words.includes("r") && words.replace("source", "").includes("r")
      ? join(from, "..", expanded)
      : expanded;
  }

  #property(open: OpenDefinition, words: string, rest: string): void {
    const [body = "", condition] = splitIf(rest);
    if (words === "depends") open.own.push(rest.replace(/^on\s+/, ""));
    else if (/^(bool|tristate|int|hex|string)$/.test(words)) {
      open.type = words;
      if (body !== "") this.#prompt(open, condition);
    } else if (words === "prompt") this.#prompt(open, condition);
    else if (/^def_(bool|tristate)$/.test(words)) open.type = words.slice("def_".length);
    else if (words === "select") {
      const by = this.#selectors.get(body) ?? [];
      this.#selectors.set(body, [...by, { by: open.name, condition }]);
    }
  }

  #prompt(open: OpenDefinition, condition: string | undefined): void {
    open.hasPrompt = true;
    if (condition !== undefined) open.own.push(condition);
  }

  #add({ name, place, type, hasPrompt, own, blocks }: OpenDefinition): void {
    const conditions = [...blocks.flatMap((block) => block.conditions), ...own];
    const choice = blocks.findLast((block) => block.kind === "choice")?.place;
    const all = this.#definitions.get(name) ?? [];
    this.#definitions.set(name, [...all, { name, place, type, hasPrompt, conditions, choice }]);
    if (choice !== undefined) {
      this.#choices.set(choice, [...(this.#choices.get(choice) ?? []), name]);
    }
  }
}

/** `"Prompt" if EXPERT` as its two parts; an `if` within quotation marks is none. */
function splitIf(rest: string): [string, string | undefined] {
  const found = /^((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'])*?)\s+if\s+(.+)$/.exec(rest);
  return found === null ? [rest, undefined] : [found[1] ?? "", found[2]];
}

/** The statements of a file: continued lines joined, comments and help texts left out. */
function* statements(
  text: string,
): Generator<{ readonly words: string; readonly rest: string; readonly line: number }> {
  const lines = text.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const line = index + 1;
    let statement = lines[index] ?? "";
    while (statement.endsWith("\\")) {
      index += 1;
      statement = `${statement.slice(0, -1)} ${(lines[index] ?? "").trim()}`;
    }
    const [, words, rest = ""] = /^\s*([\w-]+)\s*(.*?)\s*$/.exec(withoutComment(statement)) ?? [];
    if (words === undefined) continue;
    if (words === "help" && rest === "") index = skipHelp(lines, index + 1) - 1;
    else yield { words, rest, line };
  }
}

function withoutComment(line: string): string {
  if (!line.includes("#")) return line;
  const found = /^((?:"(?:[^"\\]|\\.)*"|'[^']*'|[^"'#])*)#/.exec(line);
  return found?.[1] ?? line;
}

/** The first line after a help text, which goes on as long as it is indented as its first line. */
function skipHelp(lines: readonly string[], start: number): number {
  let least: number | undefined;
  for (let index = start; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (line.trim() === "") continue;
    const indent = columnsOf(/^\s*/.exec(line)?.[0] ?? "");
    least ??= indent;
    if (indent < least || indent === 0) return index;
  }
  return lines.length;
}

function columnsOf(blanks: string): number {
  let columns = 0;
  for (const blank of blanks) columns = blank === "\t" ? (columns & ~7) + 8 : columns + 1;
  return columns;
}

/** Text of a file of the source; nothing of what lies outside it. */
function readInside(source: string, path: string): string | undefined {
  const inside = normalize(path);
  if (inside.startsWith("..") || inside.startsWith("/") || inside.includes("$")) return undefined;
  try {
    return readFileSync(join(source, inside), "utf8");
  } catch {
    return undefined;
  }
}
