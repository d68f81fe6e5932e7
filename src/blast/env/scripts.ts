/**
 * Scripts of a wheel: the ones that entry points ask for, and the ones that it brings along.
 * @see https://packaging.python.org/en/latest/specifications/entry-points/
 */
import { Fault } from "../../kit/fault/fault.ts";

/** A command that calls a function. */
export interface EntryPoint {
  readonly name: string;
  readonly module: string;
  /** Dotted attribute path of the callable. */
  readonly attribute: string;
}

/** The commands of an entry_points.txt: its console_scripts and gui_scripts. */
export interface ScriptEntryPoints {
  readonly consoleScripts: readonly EntryPoint[];
  readonly guiScripts: readonly EntryPoint[];
}

const GROUPS: Readonly<Record<string, keyof ScriptEntryPoints>> = {
  console_scripts: "consoleScripts",
  gui_scripts: "guiScripts",
};

const OBJECT = /^([\w.]+)\s*:\s*([\w.]+)\s*(?:\[[^\]]*\])?$/u;

/**
 * Reads entry_points.txt, an ini file in which only "=" stands between name and value.
 *
 * @throws {Fault} E_INTEGRITY for a command whose name is no file name, or whose object is none
 */
export function parseEntryPoints(text: string, owner: string): ScriptEntryPoints {
  const found = {
    consoleScripts: new Map<string, EntryPoint>(),
    guiScripts: new Map<string, EntryPoint>(),
  };
  let group: keyof ScriptEntryPoints | undefined;
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) continue;
    const section = /^\[(.*)\]$/.exec(trimmed)?.[1];
    if (section !== undefined) {
      group = GROUPS[section.trim()];
      continue;
    }
    const equals = trimmed.indexOf("=");
    if (group === undefined || equals < 0) continue;
    const name = trimmed.slice(0, equals).trim();
    const value = trimmed.slice(equals + 1).trim();
    const object = OBJECT.exec(value);
    if (!isFileName(name) || object === null) throw badEntryPoint(owner, trimmed);
    const [, module = "", attribute = ""] = object;
    found[group].set(name, { name, module, attribute });
  }
  const { consoleScripts, guiScripts } = found;
  return {
    consoleScripts: [...consoleScripts.values()],
    guiScripts: [...guiScripts.values()],
  };
}

function isFileName(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in it
  return name !== "" && name !== "." && name !== ".." && !/[/\\\u0000-\u001f]/.test(name);
}

function badEntryPoint(owner: string, line: string): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot make the commands of "${owner}": its entry point "${line}" is malformed`,
    hint: "ask whoever publishes the package",
  });
}

/** The script that calls an entry point. */
export function entryPointScript(python: string, entry: EntryPoint): string {
  const first = entry.attribute.split(".")[0] ?? entry.attribute;
  return `${shebang(python)}# -*- coding: utf-8 -*-
import sys
from ${entry.module} import ${first}

if __name__ == "__main__":
    if sys.argv[0].endswith(".exe"):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit(${entry.attribute}())
`;
}

/** What Linux takes as first line at least (execve(2), before 5.1): 127 bytes and a line break. */
const SHEBANG_BYTES_MAX = 127;

/**
 * The first line for an interpreter. Where the kernel would not take it, for its length or for a
 * space in it, /bin/sh starts the interpreter: its command is a string of no effect to Python.
 */
export function shebang(python: string): string {
  const simple = `#!${python}`;
  const isPlain = !/\s/.test(python);
  if (isPlain && Buffer.byteLength(simple) <= SHEBANG_BYTES_MAX) return `${simple}\n`;
  return `#!/bin/sh\n'''exec' ${quoteForBoth(python)} "$0" "$@"\n' '''\n`;
}

/**
 * A path for sh, within a string of Python's that three single quotes end: a single quote is put
 * into double ones (and so never three stand together), a backslash is doubled for either.
 */
function quoteForBoth(path: string): string {
  const parts = path.split(/(['\\])/);
  return parts
    .map((part) => {
      if (part === "'") return `"'"`;
      if (part === "\\") return `"\\\\"`;
      return part === "" ? "" : `'${part}'`;
    })
    .join("");
}

const PLACEHOLDER = Buffer.from("#!python");

/**
 * A script of a wheel's data folder whose first line begins with `#!python`, with the environment's
 * interpreter in place of that line (PEP 427; `#!pythonw` and `#!python3` begin so as well).
 * Undefined where there is nothing to do.
 */
export function rewriteScript(bytes: Uint8Array, python: string): Uint8Array | undefined {
  if (!PLACEHOLDER.equals(bytes.subarray(0, PLACEHOLDER.length))) return undefined;
  const newline = bytes.indexOf(0x0a);
  const end = newline < 0 ? bytes.length : newline + 1;
  return Buffer.concat([Buffer.from(shebang(python)), bytes.subarray(end)]);
}
