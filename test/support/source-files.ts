import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** The project's own files by path from the root, with their text. */
export type Sources = ReadonlyMap<string, string>;

/** One import of one file. */
export interface Import {
  /** As written: "../fault/fault.ts", "node:fs", "zod". */
  readonly specifier: string;
  /** Path from the root for a relative import, else the specifier. */
  readonly target: string;
  readonly kind: "value" | "type" | "dynamic";
}

const GLOBS = [
  "{bin,ffi,src,test,bench,docs,packaging,scripts,.ci}/**/*",
  "*.{ts,md,json,toml}",
  "bun.lock",
];
const BINARY = /\.(png|jpg|gz|tgz|zst|wasm|db|bin)$/;
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Reads every text file of the project under `root`. */
export function readSources(root: string): Sources {
  const sources = new Map<string, string>();
  for (const pattern of GLOBS) {
    for (const path of new Bun.Glob(pattern).scanSync({ cwd: root, dot: true })) {
      if (!BINARY.test(path)) sources.set(path, readFileSync(join(root, path), "utf8"));
    }
  }
  return new Map([...sources].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The imports of one TypeScript file, those of types only too (which transpilers drop). */
export function importsOf(path: string, text: string): Import[] {
  const found: Import[] = [];
  for (const { kind, path: specifier } of transpiler.scanImports(text.replace(/^#!.*/, ""))) {
    // What a function requires is loaded when the function is called.
    const dynamic = kind === "dynamic-import" || kind === "require-call";
    found.push({
      specifier,
      target: resolve(path, specifier),
      kind: dynamic ? "dynamic" : "value",
    });
  }
  const known = new Set(found.map((entry) => entry.specifier));
  const code = withoutComments(text);
  const statements = /^\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|\bimport\("([^"]+)"\)\./gm;
  for (const match of code.matchAll(statements)) {
    const specifier = match[1] ?? match[2] ?? "";
    if (known.has(specifier)) continue;
    known.add(specifier);
    found.push({ specifier, target: resolve(path, specifier), kind: "type" });
  }
  return found;
}

/** Blanks comments, keeping lines, so that a comment may name what code may not. */
export function withoutComments(text: string): string {
  const quotes = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/;
  const tokens = new RegExp(String.raw`(${quotes.source})|/\*[\s\S]*?\*/|//[^\n]*`, "g");
  return text.replace(tokens, (whole, quoted: string | undefined) =>
    quoted === undefined ? whole.replace(/[^\n]/g, " ") : whole,
  );
}

function resolve(from: string, specifier: string): string {
  return specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : specifier;
}
