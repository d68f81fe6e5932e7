/**
 * Config files to checked settings. The schema brings zod along: a command without a config file
 * imports neither (docs/bun.md).
 */
import type { z } from "zod";
import { Fault } from "../fault/fault.ts";
import { type Layer, type LayerName, mergeLayers, type SettingsTable } from "./layer.ts";
import { type KeyPath, lineColumnOf } from "./locate.ts";
import { type ConfigProblem, type ConfigText, problemsOf } from "./problems.ts";
import { readTomlFile, type TomlFile } from "./toml.ts";

/** A file to read; one that is absent is no error. */
export interface ConfigFile {
  readonly name: Extract<LayerName, "system" | "user" | "project">;
  readonly path: string;
  /** The table that holds the settings, where it is not the whole file: `["tool", "blast"]`. */
  readonly table?: readonly string[];
  /** The file, if somebody has read it already. */
  readonly read?: TomlFile;
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
    const source = await readConfigFile(file);
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

/** The file, or the table of it that holds the settings; undefined when there is none. */
async function readConfigFile(file: ConfigFile): Promise<ConfigText | undefined> {
  const source = file.read ?? (await readTomlFile(file.path));
  if (source === undefined || file.table === undefined) return source;
  const prefix = file.table;
  const values = prefix.reduce<unknown>(
    (inner, key) => (inner as SettingsTable | undefined)?.[key],
    source.values,
  );
  if (values === undefined) return undefined;
  return {
    file: source.file,
    text: source.text,
    values,
    prefix,
    get places() {
      return {
        find: (path: KeyPath) => source.places.find([...prefix, ...path]),
        paths: () => source.places.paths().filter((path) => startsWith(path, prefix)),
      };
    },
  };
}

function startsWith(path: KeyPath, prefix: KeyPath): boolean {
  return prefix.every((key, index) => path[index] === key);
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
