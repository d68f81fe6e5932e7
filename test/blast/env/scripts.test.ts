import { expect, test } from "bun:test";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync } from "node:fs";
import { scriptInterpreter } from "../../../src/blast/env/check-files.ts";
import {
  entryPointScript,
  parseEntryPoints,
  rewriteScript,
  shebang,
} from "../../../src/blast/env/scripts.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("commands of entry_points.txt", () => {
  const text = `
; comment
[console_scripts]
one = pkg.mod:main
two=pkg:Class.method [extra]
  three  =  pkg . bad
[gui_scripts]
`;
  expect(() => parseEntryPoints(text, "pkg")).toThrow('its entry point "three  =  pkg . bad"');
  const good = `${text.replace(/^.*three.*$/m, "a=b = c:d")}win = w:x\n[other]\nskip = me\n`;
  expect(() => parseEntryPoints(good, "pkg")).toThrow("malformed");
  expect(parseEntryPoints(good.replace("a=b = c:d", "colon = c : d"), "pkg")).toEqual({
    consoleScripts: [
      { name: "one", module: "pkg.mod", attribute: "main" },
      { name: "two", module: "pkg", attribute: "Class.method" },
      { name: "colon", module: "c", attribute: "d" },
    ],
    guiScripts: [{ name: "win", module: "w", attribute: "x" }],
  });
});

test("a command whose name would leave the scripts folder is refused", () => {
  for (const name of ["../evil", "a/b", "..", ".", "", "a\\b"]) {
    const text = `[console_scripts]\n${name} = m:f\n`;
    expect(() => parseEntryPoints(text, "pkg")).toThrow("Cannot make the commands");
  }
});

test("#!python and #!pythonw are replaced, nothing else", () => {
  const rewritten = (text: string): string | undefined => {
    const bytes = rewriteScript(Buffer.from(text), "/venv/bin/python");
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };
  expect(rewritten("#!python\nx\n")).toBe("#!/venv/bin/python\nx\n");
  expect(rewritten("#!pythonw -E\r\nx")).toBe("#!/venv/bin/python\nx");
  expect(rewritten("#!python3\nx")).toBe("#!/venv/bin/python\nx");
  expect(rewritten("#!python")).toBe("#!/venv/bin/python\n");
  for (const text of ["#!/usr/bin/env python\n", "#! python\n", "python\n", ""]) {
    expect(rewritten(text)).toBeUndefined();
  }
});

test("a plain path stands in the first line; others are started by /bin/sh", () => {
  expect(shebang("/venv/bin/python")).toBe("#!/venv/bin/python\n");
  expect(shebang("/my venv/bin/python")).toStartWith("#!/bin/sh\n'''exec' '/my venv/bin/python'");
  expect(shebang(`/${"x".repeat(200)}/python`)).toStartWith("#!/bin/sh\n");
});

const ODD_NAMES = [
  "plain",
  "with space",
  "it's",
  "quote\" and 'both'",
  "$HOME `id` $(id)",
  "back\\slash \\x \\N",
  "ünï çode",
  "'''",
  "x".repeat(150),
];

testUnless(needsProgram("python3"))("scripts start from folders of any name", () => {
  using work = createWorkspace();
  for (const name of ODD_NAMES) {
    mkdirSync(work.at(name));
    const python = work.at(name, "python");
    symlinkSync(Bun.which("python3") ?? "", python);
    const entry = { name: "x", module: "os.path", attribute: "basename" };
    const script = entryPointScript(python, entry).replace(
      "basename())",
      "basename('/a/' + sys.argv[1]))",
    );
    const path = work.write("script", script, { mode: 0o755 });
    chmodSync(path, 0o755);
    const { stderr, exitCode } = Bun.spawnSync([path, "an argument"]);
    expect({ name, exitCode, text: stderr.toString() }).toEqual({
      name,
      exitCode: 1,
      text: "an argument\n",
    });
    expect(scriptInterpreter(path)).toBe(python);
    copyFileSync(path, work.at("copy"));
  }
});
