/** citty 0.2.2 as it is: why the parser is our own, and where the two agree (decision 0001). */
import { expect, test } from "bun:test";
import type { ArgsDef } from "citty";
import { parseArgs } from "citty";
import fc from "fast-check";

import type { ArgsSpec } from "../../../src/kit/cli/command.ts";
import { parseArguments } from "../../../src/kit/cli/parse.ts";

const ARGS = {
  source: { type: "positional", required: false },
  "dry-run": { type: "boolean", alias: "n" },
  xattrs: { type: "boolean", default: true },
  exclude: { type: "string", alias: "e" },
  color: { type: "enum", options: ["auto", "never"], default: "auto" },
} as const satisfies ArgsSpec;

const citty = (...argv: string[]) => parseArgs(argv, ARGS as unknown as ArgsDef);

test("citty lets through what our parser reports", () => {
  expect(citty("--dry-rum")).toMatchObject({ "dry-rum": true });
  expect(citty("a", "surplus")).toMatchObject({ source: "a" });
  expect(citty("-n3")).toMatchObject({ n: true, 3: true });
  expect(citty("--exclude", "a", "--exclude", "b")).toMatchObject({ exclude: "b" });
  expect(citty("--exclude")).toMatchObject({ exclude: "" });
  const ours = (...argv: string[]) => parseArguments(argv, { args: ARGS }).problems.length;
  expect([ours("--dry-rum"), ours("a", "surplus"), ours("-n3"), ours("--exclude")]).toEqual([
    1, 1, 1, 1,
  ]);
});

test("on the command lines that both understand, both say the same", () => {
  const value = fc.stringMatching(/^[a-z./][a-z=./-]{0,5}$/);
  const part = fc.oneof(
    fc.constantFrom(["-n"], ["--dry-run"], ["--no-dry-run"], ["--no-xattrs"], ["--color=never"]),
    value.map((text) => ["--exclude", text]),
    value.map((text) => [`--exclude=${text}`]),
    value.map((text) => [`-e${text.replace(/^=/, "")}`]),
  );
  const line = fc.tuple(
    fc.uniqueArray(part, { maxLength: 5, selector: (p) => nameOf(p[0]) }),
    value,
  );
  fc.assert(
    fc.property(line, ([parts, source]) => {
      const argv = [...parts.flat(), source];
      const ours = parseArguments(argv, { args: ARGS });
      const theirs = citty(...argv);
      expect(ours.problems).toEqual([]);
      for (const name of ["source", "xattrs", "exclude", "color"]) {
        expect([argv, name, ours.values[name]]).toEqual([argv, name, theirs[name]]);
      }
      expect(ours.values["dry-run"]).toBe(theirs["dry-run"] ?? false);
    }),
  );
});

/** One part per flag: citty keeps another one of repeated flags than we do. */
function nameOf(flag: string | undefined): string {
  return (flag ?? "")
    .replace(/^--no-|^--?/, "")
    .charAt(0)
    .replace("n", "d");
}
