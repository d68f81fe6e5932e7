import { expect, test } from "bun:test";
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { writeToFile } from "../../../src/rastos/snapshot/transfer.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

async function* two(): AsyncGenerator<Uint8Array> {
  yield Buffer.from("one ");
  yield Buffer.from("two");
}

test("a file is replaced when the stream is whole, and stays where it breaks", async () => {
  using work = createWorkspace();
  const path = work.write("file", "old");
  const broken = async function* (): AsyncGenerator<Uint8Array> {
    yield* two();
    throw new Error("the source is gone");
  };
  const failure = await writeToFile(path, broken()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "E_IO" });
  expect(readFileSync(path, "utf8")).toBe("old");
  expect(await writeToFile(path, two())).toBe(7);
  expect(readFileSync(path, "utf8")).toBe("one two");
  expect(existsSync(`${path}.part`)).toBe(false);
});

testUnless(firstReason(needsRoot(), needsProgram("mknod")))("a device stays one", async () => {
  using work = createWorkspace();
  const full = work.at("full");
  Bun.spawnSync(["mknod", full, "c", "1", "7"]);
  const failure = await writeToFile(full, two()).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "E_NO_SPACE" });
  expect(lstatSync(full).isCharacterDevice()).toBe(true);
});
