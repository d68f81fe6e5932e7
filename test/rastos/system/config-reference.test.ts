import { expect, test } from "bun:test";
import { systemTomlReference } from "../../../src/rastos/system/config-reference.ts";
import { parseSystemText } from "../../../src/rastos/system/read.ts";

test("the page has every table, and its file of defaults is a system.toml", async () => {
  const page = systemTomlReference();
  for (const table of ["[system]", "[packages]", "[[repositories]]", "[services]", "[[users]]"]) {
    expect(page).toContain(`## \`${table}\``);
  }
  const defaults = /```toml\n([\s\S]*?)\n```/.exec(page)?.[1] ?? "none";
  const { config } = await parseSystemText("system.toml", defaults);
  expect(config).toEqual((await parseSystemText("system.toml", "")).config);
});
