import { expect, test } from "bun:test";
import { parseCoreMetadata } from "../../../src/blast/pep/metadata.ts";
import { readNamedRequirement } from "../../../src/blast/project/requirement-line.ts";
import { withDynamic } from "../../../src/blast/sync/backend-sets.ts";
import type { DynamicPart, RequirementSet } from "../../../src/blast/sync/project.ts";

const METADATA = parseCoreMetadata(`Metadata-Version: 2.1
Name: demo
Version: 1
Requires-Dist: plain>=1
Requires-Dist: win ; sys_platform == "win32"
Requires-Dist: both ; extra == "fast" or sys_platform == "win32"
Requires-Dist: quick[x]<2 ; python_version < "4" and extra == "fast"
Requires-Dist: placed @ https://host.test/p.whl ; extra == "Other_One"
Requires-Dist: demo[fast] ; extra == "all"
Provides-Extra: fast
Provides-Extra: Other_One
Provides-Extra: all
Provides-Extra: empty
`);

const set = (kind: RequirementSet["kind"], name: string, ...texts: string[]): RequirementSet => ({
  kind,
  name,
  requirements: texts.map((text) => readNamedRequirement(text, { origin: "a file", base: "/x" })),
});

/** `kind name: requirement | requirement`, by parts. */
function shown(sets: readonly RequirementSet[], ...dynamic: DynamicPart[]): string[] {
  return withDynamic(sets, { dynamic, folder: "/x" }, METADATA).map(
    ({ kind, name, requirements }) =>
      `${kind} ${name}: ${requirements.map(({ text }) => text).join(" | ")}`,
  );
}

test("both parts, each requirement where it counts, without the extra in its marker", () => {
  const sets = [set("base", "", "own"), set("group", "dev", "tool")];
  expect(shown(sets, "dependencies", "optional-dependencies")).toEqual([
    "base : plain>=1 | win ; sys_platform == 'win32' | both ; sys_platform == 'win32' | own",
    "extra fast: both | quick[x]<2 ; python_version < '4'",
    "extra other-one: placed @ https://host.test/p.whl",
    "extra all: demo[fast]",
    "extra empty: ",
    "group dev: tool",
  ]);
});

test("one part: the other one is what the file says", () => {
  const base = [set("base", "", "own"), set("extra", "fast", "mine")];
  expect(shown(base, "dependencies")).toEqual([
    "base : plain>=1 | win ; sys_platform == 'win32' | both ; sys_platform == 'win32' | own",
    "extra fast: mine",
  ]);
  expect(shown([set("base", "", "own")], "optional-dependencies").slice(0, 2)).toEqual([
    "base : own",
    "extra fast: both | quick[x]<2 ; python_version < '4'",
  ]);
});
