import { expect } from "bun:test";

import { documentedTools } from "../../../../src/applets.ts";
import { fishCompletion } from "../../../../src/kit/cli/completion/fish.ts";
import { needsProgram, testUnless } from "../../../support/skip.ts";

const script = fishCompletion(await documentedTools());
const fishTest = testUnless(needsProgram("fish"));

/** What fish offers for a line, without the descriptions. */
async function complete(line: string): Promise<string[]> {
  const program = `source; complete -C ${JSON.stringify(line)}`;
  const child = Bun.spawn(["fish", "--no-config", "-c", program], {
    stdin: new Blob([script]),
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(err).toBe("");
  const words = out.split("\n").map((row) => row.split("\t")[0] ?? "");
  return words.filter((word) => word !== "").sort();
}

fishTest("it offers commands, flags and the words of a flag", async () => {
  expect(await complete("blit m")).toEqual(["mirror", "move"]);
  expect(await complete("blit copy --ex")).toEqual(["--exclude"]);
  expect(await complete("blit mirror a --max")).toEqual(["--max-delete"]);
  expect(await complete("blit copy --max")).toEqual([]);
  expect(await complete("triad blit copy --dry")).toEqual(["--dry-run"]);
  expect(await complete("triad completions ")).toEqual(["bash", "fish", "powershell", "zsh"]);
  expect(await complete("blit copy --color ")).toEqual(["always", "auto", "never"]);
  expect(await complete("blit copy --color=ne")).toEqual(["--color=never"]);
  expect(await complete("blit copy /etc/host")).toContain("/etc/hostname");
  expect(await complete("blit diagnostics ")).toEqual(["perf"]);
});

fishTest("what is not there yet, or hidden, is not offered", async () => {
  expect(await complete("triad bl")).toEqual(["blast", "blit", "blit-utils", "blitd"]);
  expect(await complete("blit copy --lud")).toEqual([]);
});
