import { expect, test } from "bun:test";

import { appletFor, documentedTools } from "../src/applets.ts";
import { capture } from "./support/capture.ts";

test.each([
  ["blit", "blit"],
  ["./blit", "blit"],
  ["/usr/local/bin/blit", "blit"],
  ["C:\\tools\\BLIT.EXE", "triad"],
  ["C:\\tools\\blit.exe", "blit"],
  ["triad", "triad"],
  ["triad-0.1-linux", "triad"],
  ["bun", "triad"],
  ["", "triad"],
  ["constructor", "triad"],
  ["blast", "blast"],
])("called as %j it is %s", (argv0, name) => {
  expect(appletFor(argv0).name).toBe(name);
});

test("what is not built yet says so under each name, and is listed nowhere", async () => {
  for (const name of ["rastos"]) {
    const direct = await capture(appletFor(name).load, ["install", "--x"], { name });
    expect([direct.code, direct.err]).toEqual([
      1,
      `error: Cannot run "${name}": this build of triad does not contain it yet\n` +
        "hint: install a later release\n",
    ]);
    const nested = await capture(appletFor("triad").load, [name, "install"], { name: "triad" });
    expect(nested.code).toBe(1);
    const help = await capture(appletFor("triad").load, ["--help"], { name: "triad" });
    expect(help.out).not.toContain(name);
  }
  const documented = (await documentedTools()).map(({ name }) => name);
  expect(documented).toEqual(["triad", "blast", "blit", "blit-utils", "blitd"]);
});
