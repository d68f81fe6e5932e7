/**
 * Changes lists of texts in a TOML file in place: comments, quotes, indentation, order, commas and
 * line ends stay as they are. Every result is read again and must differ in nothing else.
 */
import { parseToml, type TomlFile } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type ArrayText, arrayAt, gapAfter, insertAfterSection, newlineOf } from "./toml-spans.ts";

/** The keys down to a list: `["project", "dependencies"]`. */
export type ListPath = readonly [string, ...string[]];

/** One change of a list. */
export type ListEdit =
  | { readonly kind: "append"; readonly value: string }
  | { readonly kind: "replace"; readonly index: number; readonly value: string }
  | { readonly kind: "remove"; readonly index: number };

/**
 * Makes one change. A list or table that is absent is made for an append.
 *
 * @throws {Fault} E_CONFIG when the file is built in a way that cannot be changed safely
 */
export async function editTomlList(
  file: TomlFile,
  path: ListPath,
  edit: ListEdit,
): Promise<TomlFile> {
  const text = changedText(file, path, edit);
  const wanted = changedValues(file.values, path, edit);
  const result = text === undefined ? undefined : await parseToml(file.file, text).catch(() => {});
  if (result === undefined || comparable(result.values) !== comparable(wanted)) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot change "${path.join(".")}" of "${file.file}" without touching the rest`,
      hint: hintFor(edit),
    });
  }
  return result;
}

function hintFor(edit: ListEdit): string {
  return edit.kind === "remove" ? "remove the entry by hand" : `add ${JSON.stringify(edit.value)}`;
}

/** Undefined where the text has no place for the change. */
function changedText(file: TomlFile, path: ListPath, edit: ListEdit): string | undefined {
  const array = arrayAt(file, path);
  if (array === undefined) {
    return edit.kind === "append" ? withNewList(file, path, edit.value) : undefined;
  }
  if (edit.kind === "append") return withAppended(file.text, array, edit.value);
  const element = array.elements[edit.index];
  if (element === undefined) return undefined;
  if (edit.kind === "remove") return withoutElement(file.text, array, edit.index);
  const quote = quoteOf(file.text, element.start);
  return splice(file.text, [element.start, element.end, tomlString(edit.value, quote)]);
}

type Splice = readonly [start: number, end: number, text: string];

/** Replaces ranges that do not overlap; of two at one place the first comes first. */
function splice(text: string, ...changes: readonly Splice[]): string {
  let result = "";
  let done = 0;
  for (const [start, end, inner] of [...changes].sort((a, b) => a[0] - b[0])) {
    result += text.slice(done, start) + inner;
    done = end;
  }
  return result + text.slice(done);
}

const INDENT = "    ";

function withAppended(text: string, array: ArrayText, value: string): string {
  const last = array.elements.at(-1);
  if (last === undefined) return withFirst(text, array, value);
  const quoted = tomlString(value, quoteOf(text, last.start));
  const { comma } = gapAfter(text, last.end, array.close);
  const gap = gapAfter(text, comma === undefined ? last.end : comma + 1, array.close);
  // The closing bracket stands on the last element's line: so does the new one.
  if (!gap.hasNewline) {
    return comma === undefined
      ? splice(text, [last.end, last.end, `, ${quoted}`])
      : splice(text, [comma + 1, comma + 1, ` ${quoted},`]);
  }
  const line = `${newlineOf(text)}${indentOf(text, last.start)}${quoted}`;
  return comma === undefined
    ? splice(text, [last.end, last.end, ","], [gap.lineEnd, gap.lineEnd, line])
    : splice(text, [gap.lineEnd, gap.lineEnd, `${line},`]);
}

/** Into a list without elements; {@link withoutElement} makes the old text of the result. */
function withFirst(text: string, array: ArrayText, value: string): string {
  const quoted = tomlString(value, '"');
  const inner = text.slice(array.open + 1, array.close);
  const indent = indentOf(text, array.open);
  const newline = newlineOf(text);
  if (inner === "") {
    const block = `${newline}${indent}${INDENT}${quoted},${newline}${indent}`;
    return splice(text, [array.open + 1, array.close, block]);
  }
  if (!inner.includes("\n")) return splice(text, [array.open + 1, array.open + 1, ` ${quoted}`]);
  const gap = gapAfter(text, array.open + 1, array.close);
  const comma = gap.hasComment ? "," : "";
  const lineEnd = lastLineEnd(text, array.close);
  return splice(text, [lineEnd, lineEnd, `${newline}${indent}${INDENT}${quoted}${comma}`]);
}

function withoutElement(text: string, array: ArrayText, index: number): string {
  const { start, end } = elementAt(array, index);
  const next = array.elements[index + 1];
  const previous = array.elements[index - 1];
  const gap = gapAfter(text, end, next?.start ?? array.close);
  const before = previous === undefined ? undefined : gapAfter(text, previous.end, start);
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const startsLine = lineStart > array.open && text.slice(lineStart, start).trim() === "";
  const commaOnLine = gap.comma === undefined || gap.comma < gap.lineEnd;
  if (startsLine && gap.hasNewline && commaOnLine) {
    const lastWithoutComma = next === undefined && gap.comma === undefined;
    const alone: Splice = [previousLineEnd(text, lineStart), gap.lineEnd, ""];
    if (previous === undefined && next === undefined) {
      const rest = splice(text.slice(array.open + 1, array.close), shift(alone, array.open + 1));
      const collapses = gap.comma !== undefined && rest.trim() === "";
      return collapses ? splice(text, [array.open + 1, array.close, ""]) : splice(text, alone);
    }
    if (!lastWithoutComma || before?.comma === undefined) return splice(text, alone);
    return splice(text, [before.comma, before.comma + 1, ""], alone);
  }
  if (previous !== undefined && !startsLine && before?.comma !== undefined) {
    // `, "x"` goes; where the list ends in a comma, ` "x",`.
    return gap.comma === undefined
      ? splice(text, [before.comma, before.comma + 1, ""], [before.comma + 1, end, ""])
      : splice(text, [before.comma + 1, gap.comma + 1, ""]);
  }
  if (next !== undefined && !gap.hasNewline) return splice(text, [start, next.start, ""]);
  const from = next === undefined && text[start - 1] === " " ? start - 1 : start;
  const own: Splice = [from, (gap.comma ?? end - 1) + 1, ""];
  const strayComma = next === undefined && gap.comma === undefined ? before?.comma : undefined;
  if (gap.comma !== undefined && text.slice(end, gap.comma).includes("#")) {
    return splice(text, [from, end, ""], [gap.comma, gap.comma + 1, ""]);
  }
  return strayComma === undefined
    ? splice(text, own)
    : splice(text, [strayComma, strayComma + 1, ""], own);
}

function elementAt(array: ArrayText, index: number): { start: number; end: number } {
  const element = array.elements[index];
  if (element === undefined) throw new Error(`no element ${index}`);
  return element;
}

function shift([start, end, text]: Splice, by: number): Splice {
  return [start - by, end - by, text];
}

/** Before the line end that precedes the position, `\r` counted to it. */
function previousLineEnd(text: string, lineStart: number): number {
  return text[lineStart - 2] === "\r" ? lineStart - 2 : lineStart - 1;
}

function lastLineEnd(text: string, before: number): number {
  return previousLineEnd(text, text.lastIndexOf("\n", before) + 1);
}

/** The blanks that the line of a position begins with. */
function indentOf(text: string, position: number): string {
  const lineStart = text.lastIndexOf("\n", position - 1) + 1;
  return /^[ \t]*/.exec(text.slice(lineStart))?.[0] ?? "";
}

function withNewList(file: TomlFile, path: ListPath, value: string): string | undefined {
  const newline = newlineOf(file.text);
  const key = tomlKey(path.at(-1) ?? "");
  const lines = [`${key} = [`, `${INDENT}${tomlString(value, '"')},`, "]", ""].join(newline);
  const table = path.slice(0, -1);
  if (table.length === 0) return undefined;
  const inside = insertAfterSection(file, table, lines);
  if (inside !== undefined) return inside;
  const { text } = file;
  const end = text === "" || text.endsWith("\n") ? text : `${text}${newline}`;
  const gap = end === "" || /\n\r?\n$/.test(end) ? "" : newline;
  return `${end}${gap}[${table.map(tomlKey).join(".")}]${newline}${lines}`;
}

function tomlKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

function quoteOf(text: string, start: number): '"' | "'" {
  return text[start] === "'" ? "'" : '"';
}

/** The value in the wanted quotes if it may stand in them as it is, else in the others. */
function tomlString(value: string, wanted: '"' | "'"): string {
  const isPlain = !/[\p{Cc}\\]/u.test(value);
  const other = wanted === '"' ? "'" : '"';
  if (isPlain && !value.includes(wanted)) return `${wanted}${value}${wanted}`;
  if (isPlain && !value.includes(other)) return `${other}${value}${other}`;
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
}

function changedValues(values: object, path: ListPath, edit: ListEdit): object {
  const copy: Record<string, unknown> = { ...values };
  const [key, ...rest] = path;
  const old = Object.hasOwn(copy, key) ? copy[key] : undefined;
  const [next, ...deeper] = rest;
  const isTable = typeof old === "object" && old !== null && !Array.isArray(old);
  copy[key] =
    next === undefined
      ? changedList(Array.isArray(old) ? old : [], edit)
      : changedValues(isTable ? old : {}, [next, ...deeper], edit);
  return copy;
}

function changedList(list: readonly unknown[], edit: ListEdit): unknown[] {
  switch (edit.kind) {
    case "append":
      return [...list, edit.value];
    case "replace":
      return list.with(edit.index, edit.value);
    case "remove":
      return list.toSpliced(edit.index, 1);
  }
}

/** A text that is the same for the same values, whatever the order of keys. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === "number" && !Number.isFinite(inner)) return { number: String(inner) };
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
