import { expect } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { documentedTools } from "../../../../src/applets.ts";
import { bashCompletion } from "../../../../src/kit/cli/completion/bash.ts";
import { needsProgram, testUnless } from "../../../support/skip.ts";

const script = bashCompletion(await documentedTools());
const bashTest = testUnless(needsProgram("bash"));

/** What bash offers for the words, of which the last is the one at the cursor. */
async function complete(words: readonly string[], cwd = "/"): Promise<string[]> {
  const program = `source /dev/stdin
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_triad_complete
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const child = Bun.spawn(["bash", "--norc", "-c", program, "bash", ...words], {
    cwd,
    stdin: new Blob([script]),
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(err).toBe("");
  return out.split("\n").filter((line) => line !== "");
}

bashTest("the script is sound", async () => {
  const child = Bun.spawn(["bash", "-n"], { stdin: new Blob([script]), stderr: "pipe" });
  expect([await child.stderr.text(), await child.exited]).toEqual(["", 0]);
});

bashTest("it offers commands, flags and the words of a flag", async () => {
  expect(await complete(["blit", "m"])).toEqual(["mirror", "move"]);
  expect(await complete(["/usr/bin/blit", "copy", "--ex"])).toEqual(["--exclude"]);
  expect(await complete(["blit", "mirror", "a", "--max"])).toEqual(["--max-delete"]);
  expect(await complete(["blit", "copy", "--max"])).toEqual([]);
  expect(await complete(["triad", "blit", "copy", "--dry"])).toEqual(["--dry-run"]);
  expect(await complete(["triad", "completions", ""])).toEqual([
    "bash",
    "zsh",
    "fish",
    "powershell",
  ]);
  expect(await complete(["blit", "copy", "--color", "a"])).toEqual(["auto", "always"]);
  expect(await complete(["blit", "copy", "--color", "=", "ne"])).toEqual(["never"]);
  expect(await complete(["blit", "copy", "--color", "="])).toEqual(["auto", "always", "never"]);
  expect(await complete(["blit", "diagnostics", ""])).toEqual(["perf"]);
});

bashTest("what is not there yet, or hidden, is not offered", async () => {
  expect(await complete(["triad", "bl"])).toEqual(["blast", "blit", "blit-utils", "blitd"]);
  expect(await complete(["blit", "copy", "--lud"])).toEqual([]);
});

bashTest("it offers names of files and folders, whatever is in them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "completion-"));
  try {
    writeFileSync(join(folder, "two words"), "");
    writeFileSync(join(folder, "$x"), "");
    await Bun.$`mkdir sub`.cwd(folder);
    expect((await complete(["blit", "copy", ""], folder)).sort()).toEqual([
      "$x",
      "sub",
      "two words",
    ]);
    expect(await complete(["blit", "copy", "--backup-dir", ""], folder)).toEqual(["sub"]);
    expect(await complete(["blit", "copy", "--", "tw"], folder)).toEqual(["two words"]);
    expect(await complete(["blit", "copy", "--exclude", ""], folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
