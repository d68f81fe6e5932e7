import { expect, test } from "bun:test";
import { readSmallFile } from "../../../src/rastos/service/small-file.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("a file is read as far as it is small; what is none holds nobody up", () => {
  using work = createWorkspace();
  expect(readSmallFile(work.write("pid", "1234\n"))).toBe("1234\n");
  expect(readSmallFile(work.write("large", "7".repeat(1000)))).toBe("7".repeat(64));
  Bun.spawnSync(["mkfifo", work.at("pipe")]);
  expect(readSmallFile(work.at("pipe"))).toBeUndefined();
  expect(readSmallFile(work.folder("folder"))).toBeUndefined();
  expect(readSmallFile(work.at("nothing"))).toBeUndefined();
});
