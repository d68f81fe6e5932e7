import { expect, test } from "bun:test";
import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { Console } from "../../../src/rastos/service/console-output.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

testUnless(needsProgram("mkfifo"))("a console that nobody reads holds nobody up", () => {
  using work = createWorkspace();
  const path = work.at("console");
  Bun.spawnSync(["mkfifo", path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const terminal = Console.open(path);
  // More than any pipe holds: it comes back all the same, each time.
  for (let count = 0; count < 40; count++) terminal?.write(new Uint8Array(65_536).fill(46));
  const buffer = Buffer.alloc(4 * 1024 * 1024);
  expect(readSync(reader, buffer)).toBeGreaterThan(0);
  terminal?.write(Buffer.from("it goes on\n"));
  let text = "";
  for (let got = -1; !text.endsWith("it goes on\n") && got !== 0; ) {
    got = readSync(reader, buffer);
    text += buffer.toString("latin1", 0, got);
  }
  expect(text).toEndWith("it goes on\n");
  closeSync(reader);
  terminal?.write(Buffer.from("nobody"));
});

test("where there is none, and where it is a file, there is none", () => {
  using work = createWorkspace();
  expect(Console.open("/nowhere/at/all")).toBeUndefined();
  expect(Console.open(work.write("file", "kept"))).toBeUndefined();
  expect(readFileSync(work.at("file"), "utf8")).toBe("kept");
});
