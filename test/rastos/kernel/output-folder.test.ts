import { expect, test } from "bun:test";
import { existsSync, symlinkSync } from "node:fs";
import { claimOutput, removeOutput } from "../../../src/rastos/kernel/output-folder.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("only a folder of ours is built in, and removed", () => {
  using work = createWorkspace();
  work.write("foreign/thesis.tex");
  expect(() => claimOutput(work.at("foreign"), "test")).toThrow(/other things/);
  expect(() => removeOutput(work.at("foreign"))).toThrow(/no kernel was built there/);
  expect(() => removeOutput(work.at("gone"))).toThrow(/no such folder/);
  work.write("forged/.rastos-kernel.json", '{"schema":"another"}');
  expect(() => removeOutput(work.at("forged"))).toThrow(/no kernel was built there/);
  const { lock } = claimOutput(work.at("ours"), "test");
  // Not through a link: the name may lead anywhere.
  symlinkSync(work.at("ours"), work.at("link"));
  expect(() => removeOutput(work.at("link"))).toThrow(/no kernel was built there/);
  expect(() => removeOutput(work.at("ours"))).toThrow(new RegExp(`process ${process.pid}`));
  lock[Symbol.dispose]();
  removeOutput(work.at("ours"));
  expect(existsSync(work.at("ours"))).toBe(false);
});
