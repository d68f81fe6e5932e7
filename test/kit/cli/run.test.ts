import { describe, expect, test } from "bun:test";

import type { CommandContext, CommandSpec } from "../../../src/kit/cli/command.ts";
import { defineCommand } from "../../../src/kit/cli/command.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { BrokenPipe } from "../../../src/kit/out/write-fully.ts";
import { capture } from "../../support/capture.ts";

let seen: CommandContext | undefined;

const copy = defineCommand({
  meta: { name: "copy", description: "Copy things", synonyms: ["cp"] },
  args: {
    source: { type: "positional", repeatable: true, valueHint: "SRC" },
    target: { type: "positional", valueHint: "DST" },
    "dry-run": { type: "boolean", alias: "n", description: "Do nothing" },
    exclude: { type: "string", repeatable: true, description: "Leave out" },
    limit: { type: "string", number: { minimum: 1 }, description: "At most" },
    secret: { type: "boolean", hidden: true },
  },
  examples: [{ command: "tool copy a b", description: "An example" }],
  async run(context) {
    seen = context as unknown as CommandContext;
    context.printer.note(`copied, ${context.args["dry-run"] ? "not really" : "really"}`);
    return 0;
  },
});

function failing(error: unknown): CommandSpec {
  return {
    meta: { name: "fail", description: "Fail" },
    async run(context) {
      context.printer.out("before");
      throw error;
    },
  };
}

const tool = defineCommand({
  meta: { name: "tool", description: "A tool" },
  tool: true,
  subCommands: {
    copy: () => copy as CommandSpec,
    refuse: () => failing(new Fault({ code: "E_REFUSED", message: "No", hint: "try later" })),
    bug: () => failing(new TypeError("oops")),
    pipe: () => failing(new BrokenPipe()),
    partial: () => ({
      meta: { name: "partial", description: "Partly" },
      run: async () => 4,
    }),
    quiet: () => ({ meta: { name: "quiet", description: "Hidden", hidden: true } }),
  },
});

const run = (...argv: string[]) => capture(tool as CommandSpec, argv);

test("the command gets its values, its positionals and a printer", async () => {
  const result = await run("copy", "-n", "a", "--exclude=x", "b", "ü");
  expect(result).toEqual({ code: 0, out: "", err: "copied, not really\n" });
  expect(seen?.args).toMatchObject({ source: ["a", "b"], target: "ü", exclude: ["x"] });
  expect(seen?.commandPath).toBe("tool copy");
  expect(seen?.rawPositionals()).toEqual(["a", "b", "\u00c3\u00bc"]);
  expect(seen?.rawValues("exclude")).toEqual(["x"]);
  expect(seen?.rawValues("limit")).toEqual([]);
});

test("flags may stand before the subcommand, those of every command and its own", async () => {
  const result = await run("-q", "-n", "copy", "a", "b");
  expect(result).toEqual({ code: 0, out: "", err: "" });
  expect(seen?.args["dry-run"]).toBe(true);
  expect(seen?.rawPositionals()).toEqual(["a", "b"]);
});

describe("usage errors are one line and a hint, exit 2", () => {
  test.each([
    [["cpoy"], 'Unknown command "cpoy" for "tool"', 'did you mean "tool copy"?'],
    [["cp"], 'Unknown command "cp" for "tool"', 'did you mean "tool copy"?'],
    [["xyzzy"], 'Unknown command "xyzzy" for "tool"', '"tool --help" lists the commands'],
    [["later2"], 'Unknown command "later2" for "tool"', '"tool --help" lists the commands'],
    [
      ["copy", "--dry-rum", "a", "b"],
      'Unknown flag "--dry-rum" for "tool copy"',
      'did you mean "--dry-run"?',
    ],
    [
      ["copy", "--secre", "a", "b"],
      'Unknown flag "--secre" for "tool copy"',
      '"tool copy --help" lists the flags; a name that begins with "-" goes after "--"',
    ],
    [
      ["--dry-run"],
      'Unknown flag "--dry-run" for "tool"',
      'the flag belongs to "tool copy": put it after "copy"',
    ],
    [
      ["--exclude", "x", "copy"],
      'Unknown flag "--exclude" for "tool"',
      'the flag belongs to "tool copy": put it after "copy"',
    ],
    [
      ["xyzzy", "--exclude", "x"],
      'Unknown command "xyzzy" for "tool"',
      '"tool --help" lists the commands',
    ],
    [["copy", "a"], "Missing argument DST", "usage: tool copy [OPTIONS] SRC… DST"],
    [
      ["copy", "a", "b", "--limit=0"],
      'Flag "--limit" needs a whole number from 1 up, got "0"',
      undefined,
    ],
    [
      ["copy", "a", "b", "--exclude", "-n"],
      'Flag "--exclude" needs a value',
      'if the value is "-n", write "--exclude=-n"',
    ],
    [
      ["copy", "a", "b", "--color=alway"],
      'Flag "--color" cannot be "alway"',
      'did you mean "--color=always"?',
    ],
  ] as const)("%j", async (argv, message, hint) => {
    const hintLine = hint === undefined ? "" : `hint: ${hint}\n`;
    expect(await run(...argv)).toEqual({ code: 2, out: "", err: `error: ${message}\n${hintLine}` });
  });
});

test("a fault ends with its code; with --json stdout gets it as an object too", async () => {
  expect(await run("refuse")).toEqual({
    code: 1,
    out: "before\n",
    err: "error: No\nhint: try later\n",
  });
  const { out, err, code } = await run("refuse", "--json");
  expect([code, err]).toEqual([1, "error: No\nhint: try later\n"]);
  expect(JSON.parse(out.split("\n")[1] ?? "")).toEqual({
    schema: "triad.error/1",
    code: "E_REFUSED",
    message: "No",
    hint: "try later",
    exit: 1,
    details: {},
    causes: [],
  });
});

test("a bug is exit 3 and shows its stack only with --debug", async () => {
  const plain = await run("bug");
  expect(plain.code).toBe(3);
  expect(plain.err).toStartWith("error: This is a bug in triad: TypeError: oops\n");
  expect(plain.err).not.toContain("run.test.ts");
  expect((await run("bug", "--debug")).err).toContain("run.test.ts");
});

test("a broken pipe is quiet and no failure", async () => {
  expect(await run("pipe")).toMatchObject({ code: 0, err: "" });
});

test("the code that a command returns is the exit code", async () => {
  expect((await run("partial")).code).toBe(4);
});

describe("help", () => {
  test("the bare tool shows the short help on stderr and exits with 2", async () => {
    const bare = await run();
    expect([bare.code, bare.out]).toEqual([2, ""]);
    expect(bare.err).toContain("Usage: tool COMMAND [OPTIONS]");
  });

  test("-h, --help and the word help show it on stdout, whatever else is wrong", async () => {
    for (const argv of [["-h"], ["--help"], ["help"], ["nonsense", "--help", "--bogus"]]) {
      const { code, out, err } = await run(...argv);
      expect([argv, code, err]).toEqual([argv, 0, ""]);
      expect(out).toContain("Usage: tool COMMAND [OPTIONS]");
    }
    expect((await run("help", "copy")).out).toContain("Usage: tool copy [OPTIONS] SRC… DST");
    expect((await run("copy", "--help")).out).toContain("Usage: tool copy [OPTIONS] SRC… DST");
  });

  test("after -- it is a name", async () => {
    await run("copy", "--", "--help", "b");
    expect(seen?.positionals).toEqual(["--help", "b"]);
  });

  test("hidden things are shown nowhere, and suggested nowhere", async () => {
    const { out } = await run("--help");
    expect(out).not.toContain("Hidden");
    expect((await run("copy", "--help")).out).not.toContain("secret");
    expect((await run("copy", "--secret", "a", "b")).code).toBe(0);
    expect((await run("quie")).err).not.toContain("quiet");
  });
});

test("--color=always colours, --no-color does not", async () => {
  expect((await run("--color=always", "cpoy")).err).toContain("\u001b[");
  expect((await run("--no-color", "cpoy")).err).not.toContain("\u001b[");
});
