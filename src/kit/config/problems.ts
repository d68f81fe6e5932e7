/**
 * What zod finds wrong with a config file, as sentences with the line, the nearest valid key, what
 * was given and what is wanted. Knows zod by type only, so it costs nothing to import.
 */
import type { z } from "zod";
import { suggest } from "../cli/suggest.ts";
import { type KeyPath, lineColumnOf, type TomlPlaces } from "./locate.ts";

/** One thing that is wrong with a config file. */
export interface ConfigProblem {
  readonly file: string;
  /** From 1; undefined where the text has no place for it. */
  readonly line?: number;
  readonly column?: number;
  /** The setting, as "transfer.owner". */
  readonly key: string;
  /** What is wrong, without place. */
  readonly message: string;
  readonly hint?: string;
}

/** A file as far as messages need it. */
export interface ConfigText {
  readonly file: string;
  readonly text: string;
  readonly places: TomlPlaces;
  readonly values: unknown;
  /** Where in the file the settings begin: their keys are told with it. */
  readonly prefix?: KeyPath;
}

/** The problems of one file. What is merely absent from it is none: another layer may have it. */
export function problemsOf(
  source: ConfigText,
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): ConfigProblem[] {
  const problems = issues.flatMap((issue) => {
    const path = issue.path.filter((step) => typeof step !== "symbol");
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => unknownKey(source, schema, [...path, key]));
    }
    const given = valueAt(source.values, path);
    // What a list's element lacks no other layer can add: a list is replaced as a whole.
    if (given === undefined) {
      return path.some((step) => typeof step === "number") ? [missingKey(source, path)] : [];
    }
    return [wrongValue(source, issue, path, given)];
  });
  return problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

function unknownKey(source: ConfigText, schema: z.ZodType, path: KeyPath): ConfigProblem {
  const table = path.slice(0, -1);
  const known = keysAt(schema, table);
  const near = suggest(
    String(path.at(-1)),
    known.map((word) => ({ word })),
  );
  const above = [...(source.prefix ?? []), ...table];
  const where = above.length > 0 ? ` in [${keyText(above)}]` : "";
  return {
    ...place(source, path, "key"),
    key: keyText(path),
    message: `unknown key ${quote(path.at(-1))}${where}`,
    hint:
      near === undefined
        ? `known here: ${known.map(quote).join(", ")}`
        : `did you mean ${quote(near)}?`,
  };
}

function missingKey(source: ConfigText, path: KeyPath): ConfigProblem {
  const key = keyText([...(source.prefix ?? []), ...path]);
  return { ...place(source, path, "key"), key: keyText(path), message: `${quote(key)} is missing` };
}

function wrongValue(
  source: ConfigText,
  issue: z.core.$ZodIssue,
  path: KeyPath,
  given: unknown,
): ConfigProblem {
  const wanted = wantedText(issue);
  const key = quote(keyText([...(source.prefix ?? []), ...path]));
  // What was meant as a password must not be told to a terminal or a log.
  if (isSecret(path))
    return { ...place(source, path, "value"), key: keyText(path), ...told(key, issue) };
  const is = `${key} is ${givenText(given)}`;
  return {
    ...place(source, path, "value"),
    key: keyText(path),
    message: wanted === undefined ? `${is}: ${issue.message}` : `${is}, but must be ${wanted}`,
  };
}

function isSecret(path: KeyPath): boolean {
  return path.some((step) => /password|secret|token/i.test(String(step)));
}

function told(key: string, issue: z.core.$ZodIssue): { readonly message: string } {
  const wanted = wantedText(issue);
  return { message: wanted === undefined ? `${key} ${issue.message}` : `${key} must be ${wanted}` };
}

const WANTED: Readonly<Record<string, string>> = {
  boolean: "true or false",
  string: "text in quotes",
  number: "a number",
  int: "a whole number",
  array: "a list in [ ]",
  object: "a table",
  record: "a table",
};

/** What would be right, where zod says it in a way that can be put into words. */
function wantedText(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code === "invalid_type") return WANTED[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_value") return issue.values.map(quote).join(" or ");
  return undefined;
}

/** Dates and times as Bun's parser gives them. */
function isTemporal(value: unknown): boolean {
  return Object.prototype.toString.call(value).startsWith("[object Temporal.");
}

function givenText(value: unknown): string {
  if (typeof value === "string") return `the text ${quote(shorten(value))}`;
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date || isTemporal(value)) return "a date";
  if (typeof value === "object") return "a table";
  return String(value);
}

/** The keys that the schema knows in the table at `path`. */
function keysAt(schema: z.ZodType, path: KeyPath): string[] {
  let inner: unknown = unwrap(schema);
  for (const step of path) {
    const { shape, element, valueType } = (inner as { def: Definition }).def;
    const next = typeof step === "number" ? element : (shape?.[step] ?? valueType);
    if (next === undefined) return [];
    inner = unwrap(next);
  }
  return Object.keys((inner as { def: Definition }).def.shape ?? {});
}

interface Definition {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly innerType?: unknown;
  /** The first half of a pipe, as `.transform()` makes it. */
  readonly in?: unknown;
}

/** Without the wrappers of `.default()`, `.optional()` and the like. */
function unwrap(schema: unknown): unknown {
  let inner = schema;
  for (let depth = 0; depth < 10; depth += 1) {
    const { innerType, in: first } = (inner as { def: Definition }).def;
    const next = innerType ?? first;
    if (next === undefined) return inner;
    inner = next;
  }
  return inner;
}

/** The place of the path, or of the nearest thing above it. */
function place(
  source: ConfigText,
  path: KeyPath,
  part: "key" | "value",
): Pick<ConfigProblem, "file" | "line" | "column"> {
  for (let length = path.length; length > 0; length -= 1) {
    const found = source.places.find(path.slice(0, length));
    const span = found?.[part] ?? found?.key ?? found?.value;
    if (span !== undefined) return { file: source.file, ...lineColumnOf(source.text, span.start) };
  }
  return { file: source.file };
}

function valueAt(values: unknown, path: KeyPath): unknown {
  let inner = values;
  for (const step of path) {
    if (typeof inner !== "object" || inner === null || !Object.hasOwn(inner, step)) {
      return undefined;
    }
    inner = (inner as Record<string | number, unknown>)[step];
  }
  return inner;
}

/** "host[1].name": as one would say it. */
function keyText(path: KeyPath): string {
  return path
    .map((step, index) =>
      typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${step}`,
    )
    .join("");
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function quote(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}
