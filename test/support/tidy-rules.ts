import { type Import, importsOf, type Sources, withoutComments } from "./source-files.ts";

/** A broken house rule: where, and what. */
export type Violation = string;
export type Rule = (sources: Sources) => Violation[];

const LINES_MAX = 600;
const COLUMNS_MAX = 100;
const ROOMS = ["blast", "blit", "rastos", "triad"];

/** Packages and built-in modules that cost milliseconds at start-up, and those that do I/O. */
const HEAVY = modules(
  "zod consola picocolors smol-toml ignore",
  "ffi sqlite",
  "net http http2 tls",
);
const INPUT_OUTPUT = modules("bun", "ffi sqlite", "fs net http http2 tls dns child_process os tty");

function modules(packages: string, ofBun: string, ofNode: string): RegExp {
  const alternatives = (names: string): string => names.split(" ").join("|");
  const builtIn = `bun:(${alternatives(ofBun)})|node:(${alternatives(ofNode)})`;
  return new RegExp(`^(${alternatives(packages)}|${builtIn})(/|$)`);
}

/** ffi <- kit <- rooms <- applets <- bin; type-only and dynamic imports count too. */
export const layers: Rule = (sources) => {
  const violations: Violation[] = [];
  for (const [path, entry] of allImports(sources, /^(bin|ffi|src)\//)) {
    if (!/^(bin|ffi|src|test|bench)\//.test(entry.target)) continue;
    const allowed = allowedTargets(path);
    if (allowed.some((prefix) => entry.target.startsWith(prefix))) continue;
    violations.push(`${path}: must not import ${entry.target}`);
  }
  return violations;
};

function allowedTargets(path: string): string[] {
  if (path.startsWith("ffi/")) return ["ffi/"];
  if (path.startsWith("src/kit/")) return ["ffi/", "src/kit/"];
  const room = ROOMS.find((name) => path.startsWith(`src/${name}/`));
  if (room !== undefined && path.startsWith(`src/${room}/cli/`)) {
    return ["src/kit/", `src/${room}/`];
  }
  if (room !== undefined) return ["ffi/", "src/kit/", "src/workers.ts", `src/${room}/`];
  if (path === "src/workers.ts") return ["src/kit/"];
  if (path === "src/applets.ts") {
    return ["src/kit/", "src/workers.ts", ...ROOMS.map((name) => `src/${name}/door.ts`)];
  }
  return ["src/applets.ts", "src/kit/"];
}

/** An engine does not know its command line. */
export const engineBelowCli: Rule = (sources) =>
  [...allImports(sources, /^src\/\w+\/(?!cli\/|door\.ts)/)]
    .filter(([, entry]) => /^src\/(?!kit)\w+\/cli\//.test(entry.target))
    .map(([path, entry]): Violation => `${path}: must not import ${entry.target}`);

/** Pure folders do no I/O: no ffi, no printer, no node:fs, no Bun. */
export const purity: Rule = (sources) => {
  const pure = /^src\/(blast\/(pep|resolve)|blit\/(tree|plan)|rastos\/(vector|schedule))\//;
  const violations: Violation[] = [];
  for (const [path, entry] of allImports(sources, pure)) {
    if (!/^(ffi|src\/kit\/out)\//.test(entry.target) && !INPUT_OUTPUT.test(entry.specifier))
      continue;
    violations.push(`${path}: is in a pure folder and must not import ${entry.target}`);
  }
  for (const [path, text] of sources) {
    if (!pure.test(path) || !path.endsWith(".ts")) continue;
    const call = /\bBun\.(file|write|spawn\w*|serve|connect|listen|stdout|stderr)\b/;
    const found = call.exec(withoutComments(text))?.[0];
    if (found !== undefined)
      violations.push(`${path}: is in a pure folder and must not use ${found}`);
  }
  return violations;
};

/**
 * What the entry loads before it knows the command is light: the files that it reaches by static
 * imports, and the doors of the tools with theirs.
 */
export const lightStart: Rule = (sources) => {
  const violations: Violation[] = [];
  const roots = ["bin/triad.ts", ...ROOMS.map((room) => `src/${room}/door.ts`)];
  for (const [path, { specifier, target }] of loadedWith(sources, roots)) {
    if (!HEAVY.test(specifier) && !/-run\.ts$/.test(target)) continue;
    violations.push(`${path}: is on the start-up path and must not import ${specifier}`);
  }
  return violations;
};

/**
 * What commands that mostly find nothing to do load before they know: each of these modules costs
 * a part of a millisecond or more, and is needed when something is missing, wrong or to be made.
 * What it is for stands behind `await import()`.
 */
const WARM: readonly { readonly commands: readonly string[]; readonly without: RegExp }[] = [
  {
    // The runner of every command.
    commands: ["src/kit/cli/run.ts"],
    without: startOf("bun:", "ffi/", "consola", "picocolors"),
  },
  {
    commands: ["start", "sync", "compile"].map((name) => `src/blast/cli/${name}-run.ts`),
    // No C library, locks, solver, index, store, builds, nor what makes or mends environments.
    without: startOf(
      "bun:",
      "ffi/",
      "src/kit/(fs|http|store/lock)",
      "src/blast/(build|resolve|index|wheel|python/venv.ts|env/(recover|transaction))",
    ),
  },
  {
    commands: ["copy", "mirror", "move"].map((name) => `src/blit/cli/${name}-run.ts`),
    without: startOf("ignore$", "src/blit/(remote|control)"),
  },
];

/** node:fs and node:path are needed by all; schemas and parsers where there is a file. */
function startOf(...parts: string[]): RegExp {
  const never = ["node:(?!fs$|path$)", "zod", "smol-toml", "src/kit/config/load"];
  return new RegExp(`^(${[...never, ...parts].join("|")})`);
}

/** Commands that are called often and mostly have little to do load little. */
export const warmStart: Rule = (sources) =>
  WARM.flatMap(({ commands, without }) =>
    [...loadedWith(sources, commands)]
      .filter(([, { target }]) => without.test(target))
      .map(([path, { target }]): Violation => {
        const names = commands.map((command) => command.replace(/^.*\/|(-run)?\.ts$/g, ""));
        return `${path}: is loaded by ${names.join(", ")} and must not import ${target}`;
      }),
  );

/** The static imports of values that loading these modules follows, each with where it stands. */
function* loadedWith(sources: Sources, roots: readonly string[]): Generator<[string, Import]> {
  const queue = [...roots];
  const seen = new Set<string>();
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const text = sources.get(path);
    if (seen.has(path) || text === undefined) continue;
    seen.add(path);
    for (const entry of importsOf(path, text)) {
      if (entry.kind !== "value") continue;
      yield [path, entry];
      if (entry.target.endsWith(".ts")) queue.push(entry.target);
    }
  }
}

export const sizes: Rule = (sources) => {
  const violations: Violation[] = [];
  for (const [path, text] of sources) {
    if (!isCode(path)) continue;
    const lines = text.trimEnd().split("\n");
    if (lines.length > LINES_MAX) violations.push(`${path}: has ${lines.length} lines`);
    for (const [index, line] of lines.entries()) {
      const columns = Bun.stringWidth(line);
      if (columns > COLUMNS_MAX) violations.push(`${path}:${index + 1}: has ${columns} columns`);
    }
  }
  return violations;
};

/** test/kit/cli/run.test.ts (or run-<topic>.test.ts) belongs to src/kit/cli/run.ts. */
export const mirror: Rule = (sources) => {
  const elsewhere = /^test\/((cli|support|sim|fuzz|root|lab|docs)\/|tidy\.test\.ts$)/;
  const violations: Violation[] = [];
  for (const path of sources.keys()) {
    if (!/^test\/.*\.test\.ts$/.test(path) || elsewhere.test(path)) continue;
    const stem = path.slice("test/".length, -".test.ts".length);
    const base = /^(ffi|bin|bench|scripts)\//.test(stem) ? stem : `src/${stem}`;
    let name = base;
    while (!sources.has(`${name}.ts`) && name.lastIndexOf("-") > name.lastIndexOf("/")) {
      name = name.slice(0, name.lastIndexOf("-"));
    }
    if (!sources.has(`${name}.ts`))
      violations.push(`${path}: mirrors no source, such as ${base}.ts`);
  }
  return violations;
};

/** Calls that only one place may make, outside comments. */
export const bannedCalls: Rule = (sources) => {
  const violations: Violation[] = [];
  for (const [path, text] of sources) {
    if (!/^(bin|ffi|src)\/.*\.ts$/.test(path)) continue;
    const code = withoutComments(text);
    for (const { call, where } of BANNED) {
      const found = call.exec(code)?.[0];
      if (found !== undefined && !where.test(path))
        violations.push(`${path}: must not use ${found}`);
    }
  }
  return violations;
};

const BANNED: readonly { readonly call: RegExp; readonly where: RegExp }[] = [
  { call: /\bconsole\s*\.\s*\w+/, where: /^src\/kit\/out\// },
  { call: /\bprocess\s*\.\s*std(out|err)\b/, where: /^src\/kit\/out\// },
  { call: /\bBun\s*\.\s*std(out|err)\b/, where: /^src\/kit\/out\// },
  { call: /\bwriteSync\s*\(\s*[12]\b/, where: /^src\/kit\/out\// },
  { call: /\bprocess\s*\.\s*exit\b(?!Code)/, where: /^(bin|src\/kit\/out)\// },
  { call: /\bnew\s+Worker\b/, where: /^src\/workers\.ts$/ },
];

/** Each worker file is started from src/workers.ts, and nothing else is. */
export const workersKnown: Rule = (sources) => {
  const started = [
    ...withoutComments(sources.get("src/workers.ts") ?? "").matchAll(/"\.\/([^"]+)"/g),
  ]
    .map((match) => `src/${match[1]}`)
    .filter((path) => path.endsWith(".worker.ts"));
  const files = [...sources.keys()].filter((path) => /^src\/.*\.worker\.ts$/.test(path));
  return [
    ...files
      .filter((path) => !started.includes(path))
      .map((path): Violation => `${path}: is not started by src/workers.ts`),
    ...started
      .filter((path) => !sources.has(path))
      .map((path): Violation => `src/workers.ts: starts ${path}, which does not exist`),
  ];
};

export const noBarrels: Rule = (sources) =>
  [...sources.keys()]
    .filter((path) => /(^|\/)index\.[jt]s$/.test(path))
    .map((path): Violation => `${path}: name a file after what it holds`);

/** Nothing of the machine that wrote it: no folder of its own, no package registry's host. */
export const noMachineTraces: Rule = (sources) => {
  const paths = /(?<![\w.$})\]/*-])\/(work|farm|tmp\/(spike|team|bash_jobs))\//;
  const hosts = /\b(registry\.(npmjs|yarnpkg|npmmirror)|npm\.pkg)\.\w+/;
  const violations: Violation[] = [];
  for (const [path, text] of sources) {
    for (const [index, line] of text.split("\n").entries()) {
      const found = paths.exec(line)?.[0] ?? hosts.exec(line)?.[0];
      if (found !== undefined) violations.push(`${path}:${index + 1}: must not name ${found}`);
    }
  }
  return violations;
};

/** A skip goes through test/support/skip.ts, which wants a reason; "only" is for the editor. */
export const honestTests: Rule = (sources) => {
  const violations: Violation[] = [];
  const call = /\b(test|it|describe)\.(only|skip|skipIf|todo|todoIf|failing)\b/;
  for (const [path, text] of sources) {
    if (!/^test\/.*\.test\.ts$/.test(path)) continue;
    const found = call.exec(withoutComments(text))?.[0];
    if (found !== undefined) violations.push(`${path}: must not use ${found}`);
  }
  return violations;
};

function* allImports(sources: Sources, where: RegExp): Generator<[string, Import]> {
  for (const [path, text] of sources) {
    if (!where.test(path) || !path.endsWith(".ts")) continue;
    for (const entry of importsOf(path, text)) yield [path, entry];
  }
}

function isCode(path: string): boolean {
  // Generated.
  if (path.startsWith("src/blit/control/proto/")) return false;
  return /\.(ts|sh)$/.test(path) || /^(bin|\.ci)\/[^.]+$/.test(path);
}
