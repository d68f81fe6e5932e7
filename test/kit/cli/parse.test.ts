import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import type { ArgsSpec } from "../../../src/kit/cli/command.ts";
import type { Problem } from "../../../src/kit/cli/parse.ts";
import { parseArguments } from "../../../src/kit/cli/parse.ts";

const ARGS = {
  source: { type: "positional", repeatable: true, valueHint: "SRC" },
  target: { type: "positional", valueHint: "DST" },
  "dry-run": { type: "boolean", alias: "n" },
  quiet: { type: "boolean", alias: "q" },
  verbose: { type: "boolean", alias: "v", repeatable: true },
  exclude: { type: "string", alias: "e", repeatable: true },
  "backup-dir": { type: "string" },
  limit: { type: "string", alias: "l", number: { minimum: 0, maximum: 99 } },
  color: { type: "enum", options: ["auto", "always", "never"], default: "auto" },
  xattrs: { type: "boolean", default: true },
} as const satisfies ArgsSpec;

const parse = (...argv: string[]) => parseArguments(argv, { args: ARGS });
const problemsOf = (...argv: string[]): readonly Problem[] => parse(...argv, "a", "b").problems;

test("without flags every value is its default", () => {
  expect(parse("a", "b")).toMatchObject({
    problems: [],
    values: {
      source: ["a"],
      target: "b",
      "dry-run": false,
      quiet: false,
      verbose: 0,
      exclude: [],
      "backup-dir": undefined,
      limit: undefined,
      color: "auto",
      xattrs: true,
    },
  });
});

test.each([
  [["--exclude", "x"], { exclude: ["x"] }],
  [["--exclude=x=y"], { exclude: ["x=y"] }],
  [["--exclude="], { exclude: [""] }],
  [["--exclude=-x"], { exclude: ["-x"] }],
  [["--exclude", "-"], { exclude: ["-"] }],
  [["-e", "x", "-ey", "-e=z"], { exclude: ["x", "y", "z"] }],
  [["-nq"], { "dry-run": true, quiet: true }],
  [["-nl3"], { "dry-run": true, limit: 3 }],
  [["-l", "3"], { limit: 3 }],
  [["--limit=7", "--limit=8"], { limit: 8 }],
  [["-vv", "--verbose"], { verbose: 3 }],
  [["--no-xattrs"], { xattrs: false }],
  [["--no-xattrs", "--xattrs"], { xattrs: true }],
  [["--no-dry-run"], { "dry-run": false }],
  [["--no-color"], { color: "never" }],
  [["--color=always"], { color: "always" }],
] as const)("%j is understood", (argv, values) => {
  const parsed = parse(...argv, "a", "b");
  expect(parsed.problems).toEqual([]);
  expect(parsed.values).toMatchObject(values);
  expect(parsed.positionals).toEqual(["a", "b"]);
});

test.each([
  [["--dry-rum"], { kind: "unknown-flag", flag: "--dry-rum" }],
  [["--dry-rum=x"], { kind: "unknown-flag", flag: "--dry-rum" }],
  [["-n3"], { kind: "unknown-flag", flag: "-3" }],
  [["-x"], { kind: "unknown-flag", flag: "-x" }],
  [["--no-exclude"], { kind: "unknown-flag", flag: "--no-exclude" }],
  [["--dry-run=yes"], { kind: "unexpected-value", flag: "--dry-run", value: "yes" }],
  [["-n=yes"], { kind: "unexpected-value", flag: "-n", value: "yes" }],
  [["--limit", "--quiet"], { kind: "missing-value", flag: "--limit", next: "--quiet" }],
  [
    ["--limit=3x"],
    { kind: "not-a-number", flag: "--limit", value: "3x", range: "a whole number from 0 to 99" },
  ],
  [["--limit=100"], { kind: "not-a-number", value: "100" }],
  [["--limit="], { kind: "not-a-number", value: "" }],
  [["--color=red"], { kind: "not-an-option", flag: "--color", value: "red" }],
] as const)("%j is a problem", (argv, problem) => {
  expect(problemsOf(...argv)[0]).toMatchObject(problem);
});

test("a flag at the end that needs a value is a problem", () => {
  expect(parse("a", "b", "--limit").problems).toEqual([
    { kind: "missing-value", flag: "--limit", next: undefined },
  ]);
});

describe("positionals", () => {
  test("the repeatable one leaves the others their share", () => {
    expect(parse("a", "b", "c").values).toMatchObject({ source: ["a", "b"], target: "c" });
  });

  test("missing ones are named", () => {
    expect(parse("a").problems).toEqual([{ kind: "missing-positional", name: "DST" }]);
    expect(parse().problems.map((problem) => "name" in problem && problem.name)).toEqual([
      "SRC",
      "DST",
    ]);
  });

  test("surplus ones are named", () => {
    const args = { one: { type: "positional" } } as const satisfies ArgsSpec;
    const { problems } = parseArguments(["a", "b"], { args });
    expect(problems).toEqual([{ kind: "surplus-positional", value: "b" }]);
  });

  test("an optional one may be absent, a repeatable one too", () => {
    const one = { path: { type: "positional", required: false } } as const satisfies ArgsSpec;
    expect(parseArguments([], { args: one })).toMatchObject({ problems: [] });
    const many = { path: { ...one.path, repeatable: true } } as const satisfies ArgsSpec;
    expect(parseArguments([], { args: many }).values).toEqual({ path: [] });
    expect(parseArguments(["a", "b"], { args: many }).values).toEqual({ path: ["a", "b"] });
  });

  test("only the choices are accepted where there are choices", () => {
    const args = { shell: { type: "positional", choices: ["zsh"] } } as const satisfies ArgsSpec;
    expect(parseArguments(["zsh"], { args }).problems).toEqual([]);
    expect(parseArguments(["csh"], { args }).problems).toMatchObject([
      { kind: "not-a-choice", name: "SHELL", value: "csh" },
    ]);
  });
});

test("after -- everything is a positional, and a lone - always is", () => {
  expect(parse("-n", "--", "-q", "--", "-").positionals).toEqual(["-q", "--", "-"]);
  expect(parse("-", "b").positionals).toEqual(["-", "b"]);
});

test("origins point at the bytes of each value", () => {
  const argv = ["--exclude=x", "a", "-ey", "-e", "z", "b"];
  const parsed = parseArguments(argv, { args: ARGS });
  const at = ({ index, start }: { index: number; start: number }) => argv[index]?.slice(start);
  expect(parsed.positionalOrigins.map(at)).toEqual(["a", "b"]);
  expect(parsed.valueOrigins["exclude"]?.map(at)).toEqual(["x", "y", "z"]);
});

test("names that every object has are no flags", () => {
  for (const flag of ["--constructor", "--toString", "--__proto__"]) {
    expect(problemsOf(flag)).toEqual([{ kind: "unknown-flag", flag }]);
  }
});

/** Groups of arguments that belong together; their order must not matter. */
const group = fc.constantFrom(
  ["-n"],
  ["--quiet"],
  ["--exclude", "x"],
  ["--exclude=y"],
  ["--color", "never"],
  ["-l5"],
  ["--no-xattrs"],
  ["a"],
  ["b"],
);

test("flags may stand anywhere: only repeated values and positionals have an order", () => {
  fc.assert(
    fc.property(fc.array(group, { maxLength: 10 }), (groups) => {
      const flags = groups.filter(([first]) => first?.startsWith("-"));
      const positionals = groups.filter(([first]) => !first?.startsWith("-"));
      const mixed = parse(...groups.flat());
      const sorted = parse(...flags.flat(), ...positionals.flat());
      expect(mixed.values).toEqual(sorted.values);
      expect(mixed.problems).toEqual(sorted.problems);
    }),
  );
});

test("any command line is either understood or a problem, and no argument is lost", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom("--", "-", "--exclude", "-n", "-e", "--no-", "--=", "-=", "--limit=1"),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (argv) => {
      const parsed = parse(...argv);
      const given = new Set(argv);
      expect(parsed.positionals.every((value) => given.has(value))).toBe(true);
      const { source, target } = parsed.values as { source: string[]; target: string | undefined };
      const surplus = parsed.problems.filter(({ kind }) => kind === "surplus-positional");
      const distributed = source.length + (target === undefined ? 0 : 1) + surplus.length;
      expect(distributed).toBe(parsed.positionals.length);
    }),
  );
});

test("with passThrough everything after the first positional is handed on", () => {
  const args = {
    command: { type: "positional", repeatable: true },
    quiet: { type: "boolean", alias: "q" },
  } as const satisfies ArgsSpec;
  const parsed = parseArguments(["-q", "python", "-q", "--", "--other", "x"], {
    args,
    passThrough: true,
  });
  expect(parsed.problems).toEqual([]);
  expect(parsed.values).toMatchObject({
    quiet: true,
    command: ["python", "-q", "--", "--other", "x"],
  });
});
