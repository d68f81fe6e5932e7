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

test("every tool is listed; names for the kernel are callable, and listed nowhere", async () => {
  expect(appletFor("init").name).toBe("init");
  const help = await capture(appletFor("triad").load, ["--help"], { name: "triad" });
  expect(help.out).toContain("rastos");
  expect(help.out).not.toContain("rinit");
  const documented = (await documentedTools()).map(({ name }) => name);
  expect(documented).toEqual(["triad", "blast", "blit", "blit-utils", "blitd", "rastos"]);
});
