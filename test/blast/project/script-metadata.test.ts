import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import {
  readScriptMetadata,
  removeScriptRequirement,
  setScriptRequirement,
} from "../../../src/blast/project/script-metadata.ts";
import { needsOraclePython, oraclePython } from "../../support/python-tools.ts";
import { testUnless } from "../../support/skip.ts";

const SCRIPT = `#!/usr/bin/env python3
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "requests<3",
#
#   "rich", # nice
# ]
# [tool.x]
# a = 1
# ///
import requests
`;

const read = (text: string) => readScriptMetadata(text, "s.py", "/");

test("the metadata and the places of its entries", async () => {
  const found = await read(SCRIPT);
  expect(found?.requiresPython?.toString()).toBe(">=3.11");
  expect(found?.dependencies.map(({ text, origin }) => [text, origin])).toEqual([
    ["requests<3", "s.py:5"],
    ["rich", "s.py:7"],
  ]);
  expect(found?.tool).toEqual({ x: { a: 1 } });
  expect((await read(SCRIPT.replaceAll("\n", "\r\n")))?.dependencies.length).toBe(2);
});

test("none, two, wrong ones", async () => {
  expect(await read("import x\n# /// other\n# a = 1\n# ///\n")).toBeUndefined();
  expect(await read("# /// script\n#a = 1\n# ///\n")).toBeUndefined();
  const twice = "# /// script\n# a = 1\n# ///\n\n# /// script\n# a = 1\n# ///\n";
  expect(read(twice)).rejects.toThrow('Cannot use "s.py:5": a script has only one');
  expect(read("\n# /// script\n# dependencies = ['a=1']\n# ///\n")).rejects.toThrow(
    'Cannot use "s.py:3": "a=1" is no requirement',
  );
  expect(read("\n# /// script\n# dependencies = [\n# ///\n")).rejects.toThrow('Cannot read "s.py:');
});

describe("changes", () => {
  test("in the block, its form kept", async () => {
    const added = await setScriptRequirement(SCRIPT, "s.py", "flask");
    expect(added).toBe(SCRIPT.replace("nice\n", 'nice\n#   "flask",\n'));
    const { text, removed } = await removeScriptRequirement(
      added,
      "s.py",
      parsePackageName("flask"),
    );
    expect([text, removed]).toEqual([SCRIPT, ["flask"]]);
    const dos = SCRIPT.replaceAll("\n", "\r\n");
    expect(await setScriptRequirement(dos, "s.py", "flask")).toBe(added.replaceAll("\n", "\r\n"));
  });

  test("a block where there is none", async () => {
    const block = '# /// script\n# dependencies = [\n#     "flask",\n# ]\n# ///\n';
    const made = (text: string) => setScriptRequirement(text, "s.py", "flask");
    expect(await made("import x\n")).toBe(`${block}\nimport x\n`);
    expect(await made("#!/bin/x\nimport x\n")).toBe(`#!/bin/x\n${block}\nimport x\n`);
    expect(await made("")).toBe(block);
    expect(await removeScriptRequirement("x", "s.py", parsePackageName("a"))).toEqual({
      text: "x",
      removed: [],
    });
  });
});

const REFERENCE = `
import json, re, sys
REGEX = r'(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\\s(?P<content>(^#(| .*)$\\s)+)^# ///$'
out = []
for script in json.load(sys.stdin):
    matches = [m for m in re.finditer(REGEX, script) if m.group('type') == 'script']
    if len(matches) > 1:
        out.append("error")
    elif len(matches) == 1:
        out.append(''.join(
            line[2:] if line.startswith('# ') else line[1:]
            for line in matches[0].group('content').splitlines(keepends=True)
        ))
    else:
        out.append(None)
json.dump(out, sys.stdout)
`;

testUnless(needsOraclePython())(
  "blocks are found as the standard's reference finds them",
  async () => {
    const line = fc.constantFrom(
      ..."# /// script|# ///|# /// other|#|# x = 1|#x|# # c|import x||# /// script ".split("|"),
      ..."#  y = 2| # ///|# \u2028|# # a\u2028b".split("|"),
    );
    const scripts = fc.sample(
      fc.array(line, { maxLength: 9 }).map((lines) => lines.join("\n")),
      { numRuns: 5000 },
    );
    const done = Bun.spawnSync([oraclePython() ?? "", "-I", "-c", REFERENCE], {
      stdin: Buffer.from(JSON.stringify(scripts)),
      env: { PYTHONUTF8: "1" },
    });
    const theirs = JSON.parse(done.stdout.toString()) as (string | null)[];
    let found = 0;
    for (const [index, script] of scripts.entries()) {
      const wanted = theirs[index] ?? null;
      const values = wanted === null ? undefined : tomlOr(wanted);
      if (wanted !== null) found += 1;
      const got = await read(script).then(
        (metadata) => (metadata === undefined ? undefined : "block"),
        () => "error",
      );
      const expected = wanted === null ? undefined : values === "error" ? "error" : "block";
      expect([script, got]).toEqual([script, expected]);
    }
    expect(found).toBeGreaterThan(50);
  },
);

/** "error" for what is no TOML, and for the word that the reference gives for two blocks. */
function tomlOr(text: string): unknown {
  try {
    return Bun.TOML.parse(text);
  } catch {
    return "error";
  }
}
