/**
 * Config files to checked settings. zod and smol-toml are loaded here, on the first call, so that
 * a command without a config file never pays for them (docs/bun.md).
 */
import { readFileSync } from "node:fs";
import type { TomlError } from "smol-toml";
import type { z } from "zod";
import { Fault } from "../fault/fault.ts";
import { type Layer, type LayerName, mergeLayers, type SettingsTable } from "./layer.ts";
import { type KeyPath, lineColumnOf, locateToml } from "./locate.ts";
import { type ConfigProblem, type ConfigText, problemsOf } from "./problems.ts";

/** A file to read; one that is absent is no error. */
export interface ConfigFile {
  readonly name: Extract<LayerName, "system" | "user" | "project">;
  readonly path: string;
}

/** Checked settings. */
export interface LoadedConfig<T> {
  readonly values: T;
  /** Where a value comes from: "/…/config.toml:4", a variable, a flag, or "default". */
  originOf(path: KeyPath): string;
}

/**
 * Reads the files, lays the other layers over them, checks each file on its own, so that every
 * problem is named with its line, and then the whole.
 *
 * @throws {Fault} E_CONFIG with all problems of all files in `details.problems`
 */
export async function loadConfig<S extends z.ZodType<object>>(options: {
  readonly schema: S;
  readonly files: readonly ConfigFile[];
  /** Environment and flags; programs make them, so a wrong value there is a bug. */
  readonly layers?: readonly Layer[];
}): Promise<LoadedConfig<z.output<S>>> {
  const layers: Layer[] = [];
  const problems: ConfigProblem[] = [];
  for (const file of options.files) {
    const source = await readConfigFile(file.path);
    if (source === undefined) continue;
    const checked = options.schema.safeParse(source.values);
    if (!checked.success)
      problems.push(...problemsOf(source, options.schema, checked.error.issues));
    layers.push({
      name: file.name,
      values: source.values as SettingsTable,
      originOf: (path) => placeText(source, path),
    });
  }
  if (problems.length > 0) throw problemsFault(problems);
  const merged = mergeLayers([...layers, ...(options.layers ?? [])]);
  const result = options.schema.safeParse(merged.values);
  if (!result.success) {
    throw problemsFault(
      result.error.issues.map((issue) => ({
        file: merged.originOf(issue.path.map((step) => String(step))) ?? "the configuration",
        key: issue.path.join("."),
        message: `"${issue.path.join(".")}": ${issue.message}`,
      })),
    );
  }
  return { values: result.data, originOf: (path) => merged.originOf(path) ?? "default" };
}

/** The file with its values and places; undefined when there is none. */
async function readConfigFile(path: string): Promise<ConfigText | undefined> {
  const text = readText(path);
  if (text === undefined) return undefined;
  const { parse, TomlError } = await import("smol-toml");
  try {
    const values = parse(text.replace(/^\uFEFF/, ""), { useLegacyDate: true });
    return { file: path, text, values, places: locateToml(text) };
  } catch (error) {
    if (error instanceof TomlError) throw syntaxFault(path, text, error);
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    const notText = errno === "ERR_ENCODING_INVALID_ENCODED_DATA";
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot read "${path}"${notText ? ": it is no UTF-8 text" : ""}`,
      cause: notText ? undefined : error,
      details: { file: path, errno },
    });
  }
}

function syntaxFault(path: string, text: string, error: TomlError): Fault {
  const { line, column } = error;
  const reason = error.message.split("\n")[0]?.replace("Invalid TOML document: ", "");
  const shown = (text.split(/\r?\n/)[line - 1] ?? "").trim();
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot read "${path}:${line}:${column}": ${reason}, in the line "${shorten(shown)}"`,
    details: { problems: [{ file: path, line, column, message: reason }] },
  });
}

/** One problem is the message itself; several are told one by one as causes. */
function problemsFault(problems: readonly ConfigProblem[]): Fault {
  const [first] = problems;
  const details = { problems };
  if (first !== undefined && problems.length === 1) {
    return new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${fileLine(first)}": ${first.message}`,
      hint: first.hint,
      details,
    });
  }
  const files = [...new Set(problems.map((problem) => `"${problem.file}"`))];
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot use ${files.join(", ")}: ${problems.length} problems`,
    cause: causeChain(problems),
    details,
  });
}

/** A fault shows at most five causes (CAUSES_MAX in kit/fault): the last one counts the rest. */
const SHOWN_MAX = 5;

function causeChain(problems: readonly ConfigProblem[]): Error | undefined {
  const lines = problems.map((problem) => {
    const hint = problem.hint === undefined ? "" : ` (${problem.hint})`;
    return `${fileLine(problem)}: ${problem.message}${hint}`;
  });
  const shown =
    lines.length <= SHOWN_MAX
      ? lines
      : [...lines.slice(0, SHOWN_MAX - 1), `and ${lines.length - SHOWN_MAX + 1} more`];
  return shown.reduceRight<Error | undefined>(
    (cause, line) => new Error(line, cause === undefined ? undefined : { cause }),
    undefined,
  );
}

function fileLine(problem: ConfigProblem): string {
  const { file, line, column } = problem;
  return line === undefined ? file : `${file}:${line}:${column}`;
}

function placeText(source: ConfigText, path: KeyPath): string {
  const place = source.places.find(path);
  const span = place?.key ?? place?.value;
  if (span === undefined) return source.file;
  return `${source.file}:${lineColumnOf(source.text, span.start).line}`;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
