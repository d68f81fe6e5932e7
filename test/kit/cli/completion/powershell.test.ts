import { expect, test } from "bun:test";

import { documentedTools } from "../../../../src/applets.ts";
import { powershellCompletion } from "../../../../src/kit/cli/completion/powershell.ts";
import { needsProgram, testUnless } from "../../../support/skip.ts";

const script = powershellCompletion(await documentedTools());

test("every place is in the table, with a comma that keeps a lone pair a list", () => {
  expect(script).toContain(
    "-CommandName 'triad', 'blast', 'blit', 'blit-utils', 'blitd', 'rastos' -ScriptBlock {",
  );
  expect(script).toContain("'blit copy' = @(@('-n', ");
  expect(script).toContain("'triad blit' = 'blit'; ");
  expect(script).toContain("'blit copy --color' = @(@('auto', ");
  expect(script).not.toContain("ludicrous");
});

testUnless(needsProgram("pwsh"))("a real PowerShell completes commands and flags", async () => {
  const program = `${script}
    foreach ($line in 'blit mi', 'blit copy --excl') {
      (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText
    }`;
  const child = Bun.spawn(["pwsh", "-NoProfile", "-Command", program]);
  expect((await child.stdout.text()).trim().split(/\s+/)).toEqual(["mirror", "--exclude"]);
});
