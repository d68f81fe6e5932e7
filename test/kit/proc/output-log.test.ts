import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { OutputLog } from "../../../src/kit/proc/output-log.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("lines come whole, and the file has every byte", () => {
  using work = createWorkspace();
  const lines: string[] = [];
  {
    using log = new OutputLog(work.at("log"), (line) => lines.push(line));
    log.write(Buffer.from("one\ntw"));
    log.write(Buffer.from("o\n"));
    log.say("ours");
  }
  expect(lines).toEqual(["one", "two", "# ours"]);
  expect(readFileSync(work.at("log"), "utf8")).toBe("one\ntwo\n# ours\n");
});

test("a full disk is told as one", () => {
  using log = new OutputLog("/dev/full", () => {});
  expect(() => log.write(Buffer.from("text"))).toThrow(
    expect.objectContaining({
      code: "E_NO_SPACE",
      message: 'Cannot write "/dev/full": no space left on device',
    }),
  );
});
