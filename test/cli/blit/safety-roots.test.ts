import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, existsSync, lstatSync, readFileSync, symlinkSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { nobody, runAsNobody } from "../../support/nobody.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/** What the command line names: followed where it was typed, and nowhere else. */

describe("a link in the target folder under the source's name", () => {
  for (const command of [["copy"], ["mirror", "--yes"], ["move"]]) {
    test(`${command[0]} does not write through it`, async () => {
      using work = createWorkspace();
      work.write("source/file", "new");
      work.write("outside/file", "kept");
      work.folder("target");
      symlinkSync(work.at("outside"), work.at("target/source"));
      const run = await runBlit([...command, work.at("source"), work.at("target")]);
      expect(run.code).toBe(1);
      expect(run.stderr).toContain(`Cannot replace "${work.at("target/source")}" with a folder`);
      expect(readFileSync(work.at("outside/file"), "utf8")).toBe("kept");
      expect(readFileSync(work.at("source/file"), "utf8")).toBe("new");
    });
  }
  test("a file takes its place", async () => {
    using work = createWorkspace();
    work.write("file", "new");
    work.write("outside", "kept");
    work.folder("target");
    symlinkSync(work.at("outside"), work.at("target/file"));
    expect((await runBlit(["copy", work.at("file"), work.at("target")])).code).toBe(0);
    expect(readFileSync(work.at("outside"), "utf8")).toBe("kept");
    expect(lstatSync(work.at("target/file")).isSymbolicLink()).toBe(false);
    expect(readFileSync(work.at("target/file"), "utf8")).toBe("new");
  });
  test("the typed target itself is followed", async () => {
    using work = createWorkspace();
    work.write("source/file", "new");
    work.folder("real");
    symlinkSync("real", work.at("target"));
    expect((await runBlit(["copy", `${work.at("source")}/`, work.at("target")])).code).toBe(0);
    expect(readFileSync(work.at("real/file"), "utf8")).toBe("new");
    expect(lstatSync(work.at("target")).isSymbolicLink()).toBe(true);
  });
});

testUnless(nobody.reason)(
  "a file in a folder that cannot be listed is copied by its name",
  async () => {
    using work = createWorkspace();
    work.write("closed/file", "content", { mode: 0o644 });
    work.folder("target");
    chmodSync(work.path, 0o755);
    chmodSync(work.at("closed"), 0o711);
    chmodSync(work.at("target"), 0o777);
    const run = await runAsNobody(["copy", work.at("closed/file"), work.at("target/")]);
    expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    expect(readFileSync(work.at("target/file"), "utf8")).toBe("content");
  },
);

test("a path that is too long is refused by name, not taken for a bug", async () => {
  using work = createWorkspace();
  const long = `${work.path}/${"x/".repeat(5000)}y`;
  for (const command of [
    ["copy", long, work.at("target")],
    ["copy", work.path, long],
  ]) {
    const run = await runBlit(command);
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("name too long")]);
  }
  expect(existsSync(work.at("target"))).toBe(false);
});

testUnless(nobody.reason)("a file keeps one's own group in a folder of another group", async () => {
  using work = createWorkspace();
  chmodSync(work.path, 0o755);
  chownSync(work.write("file", "content"), nobody.id, nobody.id);
  chownSync(work.folder("target"), nobody.id, 0);
  chmodSync(work.at("target"), 0o2777);
  const run = await runAsNobody(["copy", work.at("file"), work.at("target/")]);
  expect([run.code, run.stderr]).toEqual([0, run.stderr]);
  expect(lstatSync(work.at("target/file")).gid).toBe(nobody.id);
});
