import { expect, test } from "bun:test";

import { appletFor } from "../../../src/applets.ts";
import { capture } from "../../support/capture.ts";

const triad = (...argv: string[]) => capture(appletFor("triad").load, argv, { name: "triad" });

test.each(["bash", "zsh", "fish", "powershell"])("%s gets a script of its own", async (shell) => {
  const { code, out, err } = await triad("completions", shell);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain(`Made by "triad completions ${shell}"`);
});

test("another shell is a usage error that names the nearest", async () => {
  expect(await triad("completions", "fihs")).toEqual({
    code: 2,
    out: "",
    err: 'error: SHELL cannot be "fihs"\nhint: did you mean "triad completions fish"?\n',
  });
});
