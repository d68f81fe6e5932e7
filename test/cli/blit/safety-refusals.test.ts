import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { type RunOptions, type RunResult, runBlit } from "../../support/binary.ts";
import { bindAt, cannotBind, memoryAt } from "../../support/mount-at.ts";
import { nobody, runAsNobody } from "../../support/nobody.ts";
import { readStatuses } from "../../support/safety.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/** What is refused before anything is touched, and what is never deleted. */

const testMount = testUnless(cannotBind());

/** Expects a refusal with this message, and nothing changed below the workspace. */
async function expectRefused(
  work: Workspace,
  command: readonly string[],
  message: string | RegExp,
  options: RunOptions = {},
): Promise<RunResult> {
  const before = readStatuses(work.path);
  const run = await runBlit(command, { cwd: work.path, ...options });
  expect([run.code, run.stderr]).toEqual([1, expect.stringMatching(message)]);
  expect(run.stderr).toMatch(/^error: [^\n]+\n(hint: [^\n]+\n)?$/);
  expect(readStatuses(work.path)).toEqual(before);
  return run;
}

function sourceAndTarget(work: Workspace): void {
  work.write("source/file", "new");
  work.write("source/sub/other", "new");
  work.write("target/stray", "stays");
}

describe("a source that is not there, or not readable", () => {
  test("a mirror of a missing folder", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    const command = ["mirror", "--yes", "gone/", "target"];
    await expectRefused(work, command, /Cannot read "gone\/": no such file or folder/);
  });

  testUnless(nobody.reason)("a mirror of a folder that may not be listed", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    chmodSync(work.path, 0o755);
    chmodSync(work.at("source"), 0o711);
    for (const path of ["target", "target/stray"]) chownSync(work.at(path), nobody.id, nobody.id);
    const run = await runAsNobody(["mirror", "--yes", work.at("source/"), work.at("target")]);
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("permission denied")]);
    expect(readFileSync(work.at("target/stray"), "utf8")).toBe("stays");
  });

  testUnless(nobody.reason)("a mirror with a closed folder in it deletes nothing", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    chmodSync(work.path, 0o755);
    chmodSync(work.at("source/sub"), 0o700);
    for (const path of ["target", "target/stray"]) chownSync(work.at(path), nobody.id, nobody.id);
    const run = await runAsNobody(["mirror", "--yes", work.at("source/"), work.at("target")]);
    expect(run.code).toBe(4);
    expect(run.stderr).toContain(`failed: "${work.at("source/sub")}"`);
    expect(run.stderr).toContain("warning: nothing was deleted: a folder could not be listed\n");
    expect(readFileSync(work.at("target/stray"), "utf8")).toBe("stays");
    expect(readFileSync(work.at("target/file"), "utf8")).toBe("new");
  });

  test("a mirror whose listing fails half-way deletes nothing and says so", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    for (let n = 0; n < 40; n++) work.write(`source/${"n".repeat(200)}-${n}`, "");
    // Listings come name by name: the first one only looks for content, the second one breaks off.
    const env = { TRIAD_FAULTS: "getdents64:short@1+,getdents64:EIO@65" };
    const command = ["mirror", "--yes", "source/", "target"];
    const run = await runBlit(command, { cwd: work.path, env });
    expect([run.code, run.stderr]).toEqual([4, expect.stringContaining("list the folder")]);
    expect(run.stderr).toContain("nothing was deleted: a folder could not be listed");
    expect(existsSync(work.at("target/stray"))).toBe(true);
  });

  test("a mirror of which one copy fails deletes nothing and says so", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    const env = { TRIAD_FAULTS: "write:EIO@1" };
    const command = ["mirror", "--yes", "source/", "target"];
    const run = await runBlit(command, { cwd: work.path, env });
    expect([run.code, run.stderr]).toEqual([4, expect.stringContaining("input/output error")]);
    expect(run.stderr).toContain("nothing was deleted: some entries could not be copied");
    expect(existsSync(work.at("target/stray"))).toBe(true);
  });
});

describe("an empty source", () => {
  test("over a target with content", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    work.folder("empty");
    const command = ["mirror", "--yes", "empty/", "target"];
    await expectRefused(
      work,
      command,
      /Refusing to mirror the empty folder "empty\/" onto "target"/,
    );
  });
  test("--allow-empty-source does it all the same, and still wants consent", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    work.folder("empty");
    const command = ["mirror", "--allow-empty-source", "empty/", "target"];
    await expectRefused(work, command, /Cannot delete 1 entry of the target: nobody agreed to it/);
    const run = await runBlit([...command, "--yes"], { cwd: work.path });
    expect([run.code, existsSync(work.at("target/stray"))]).toEqual([0, false]);
  });
  test("over an empty or missing target is nothing to refuse", async () => {
    using work = createWorkspace();
    work.folder("empty");
    work.folder("target");
    for (const target of ["target", "made"]) {
      expect((await runBlit(["mirror", "empty/", target], { cwd: work.path })).code).toBe(0);
    }
    expect(existsSync(work.at("made"))).toBe(true);
  });
});

describe("a mirror onto what nobody means", () => {
  // The second lock: with it even a mirror that is not refused here deletes nothing.
  const mirror = ["mirror", "--yes", "--max-delete", "0", "source/"];

  for (const root of ["/", "/.", "//", "/tmp/.."]) {
    test(`the root folder, as ${root}`, async () => {
      using work = createWorkspace();
      sourceAndTarget(work);
      await expectRefused(work, [...mirror, root], /it is the root folder/);
    });
  }
  test("the home folder, by its name, a link, dots", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    work.write("home/me/precious", "stays");
    symlinkSync("home/me", work.at("link"));
    const env = { HOME: work.at("home/me") };
    for (const target of ["home/me", "home/me/", "link", "link/", "home/me/../me"]) {
      await expectRefused(work, [...mirror, target], /it is your home folder/, { env });
    }
  });
  testMount("the home folder, mounted elsewhere", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    work.write("home/me/precious", "stays");
    using _mounted = bindAt(work.at("there"), work.at("home/me"));
    const env = { HOME: work.at("home/me") };
    await expectRefused(work, [...mirror, "there"], /it is your home folder/, { env });
  });
  test("a folder above the source, by its name, a link, dots", async () => {
    using work = createWorkspace();
    work.write("above/mid/source/file", "stays");
    work.write("above/other", "stays");
    symlinkSync("above", work.at("link"));
    symlinkSync("above/mid/source", work.at("to-source"));
    for (const [source, target] of [
      ["above/mid/source/", "above"],
      ["above/mid/source/", "link"],
      ["above/mid/source/", "above/mid/.."],
      ["to-source/", "above/mid/"],
      ["above/mid/source/", "."],
    ] as const) {
      const command = ["mirror", "--yes", "--max-delete", "0", source, target];
      await expectRefused(work, command, /the source lies in it and would be deleted/);
    }
  });
  testMount("a folder above the source, one of them mounted elsewhere", async () => {
    using work = createWorkspace();
    work.write("above/mid/source/file", "stays");
    work.write("above/other", "stays");
    using _above = bindAt(work.at("mounted-above"), work.at("above"));
    using _source = bindAt(work.at("mounted-source"), work.at("above/mid/source"));
    for (const [source, target] of [
      ["above/mid/source/", "mounted-above"],
      ["mounted-source/", "above"],
      ["mounted-source/", "mounted-above"],
    ] as const) {
      const command = ["mirror", "--yes", "--max-delete", "0", source, target];
      await expectRefused(work, command, /the source lies in it and would be deleted/);
    }
  });
  testUnless(nobody.reason)("a folder above the source, one between them closed", async () => {
    using work = createWorkspace();
    work.write("above/closed/source/file", "stays");
    work.write("above/other", "stays");
    chmodSync(work.path, 0o755);
    chmodSync(work.at("above/closed"), 0o711);
    chownSync(work.at("above"), nobody.id, nobody.id);
    const run = await runAsNobody([
      ...["mirror", "--yes", "--max-delete", "0"],
      ...[work.at("above/closed/source/"), work.at("above")],
    ]);
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("the source lies in it")]);
  });
});

describe("a folder into itself", () => {
  for (const command of [["copy"], ["mirror", "--yes"], ["move"]]) {
    const [verb = ""] = command;
    test(`${verb}: by its name, dots, a link`, async () => {
      using work = createWorkspace();
      work.write("a/b/file", "stays");
      symlinkSync("a/b", work.at("link"));
      symlinkSync("a", work.at("same"));
      for (const target of [
        "a/c",
        "a/b",
        "a/b/new",
        "a/b/../c",
        "link",
        "link/new",
        "same/new/d",
      ]) {
        await expectRefused(work, [...command, "a", target], `Cannot ${verb} "a" into itself`);
      }
      await expectRefused(work, [...command, "a/", "same"], `Cannot ${verb} "a/" onto itself`);
      await expectRefused(work, [...command, "a/", "a/b/.."], `Cannot ${verb} "a/" onto itself`);
    });
    testMount(`${verb}: by way of a mount`, async () => {
      using work = createWorkspace();
      work.write("a/b/c/file", "stays");
      using _whole = bindAt(work.at("whole"), work.at("a"));
      using _part = bindAt(work.at("part"), work.at("a/b/c"));
      for (const target of ["whole/new", "part/new", "part"]) {
        await expectRefused(work, [...command, "a", target], `Cannot ${verb} "a" into itself`);
      }
      await expectRefused(work, [...command, "a/", "whole"], `Cannot ${verb} "a/" onto itself`);
    });
  }

  testMount("a target that is mounted in its own source is not copied into itself", async () => {
    using work = createWorkspace();
    work.write("a/file", "content");
    work.write("a/z/file", "content");
    mkdirSync(work.at("target/old"), { recursive: true });
    using _mounted = bindAt(work.at("a/m"), work.at("target"));
    const run = await runBlit(["copy", "a/", "target"], { cwd: work.path });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain(
      'failed: "a/m": it is the target itself, mounted here: not copied',
    );
    expect(existsSync(work.at("target/m"))).toBe(false);
    expect(readFileSync(work.at("target/z/file"), "utf8")).toBe("content");
  });

  testMount("nor is a new target, while it is being made", async () => {
    using work = createWorkspace();
    work.write("a/file", "content");
    work.folder("parent");
    using _mounted = bindAt(work.at("a/m"), work.at("parent"));
    const run = await runBlit(["copy", "a/", "parent/new"], { cwd: work.path });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("it is the target itself, mounted here: not copied");
    const paths = [...readStatuses(work.at("parent/new")).keys()].sort();
    expect(paths).toEqual(["", "file", "m"]);
  });
});

describe("nothing is deleted on another mount", () => {
  testMount("where the source has no such folder", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    using _memory = memoryAt(work.at("target/deep/memory"));
    work.write("target/deep/memory/precious", "stays");
    work.write("elsewhere/precious", "stays");
    using _bound = bindAt(work.at("target/bound"), work.at("elsewhere"));
    const command = ["mirror", "--yes", "source/", "target"];
    const run = await runBlit(command, { cwd: work.path });
    expect(run.code).toBe(4);
    expect(run.stderr).toContain("another file system is mounted here: not deleted");
    expect(readFileSync(work.at("target/deep/memory/precious"), "utf8")).toBe("stays");
    expect(readFileSync(work.at("elsewhere/precious"), "utf8")).toBe("stays");
  });

  testMount("where the source has the folder too", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    work.write("source/mnt/file", "new");
    work.write("elsewhere/precious", "stays");
    work.write("elsewhere/folder/precious", "stays");
    using _bound = bindAt(work.at("target/mnt"), work.at("elsewhere"));
    const command = ["mirror", "--yes", "source/", "target"];
    const run = await runBlit(command, { cwd: work.path });
    expect(run.stderr).toContain('"source/mnt": another file system is mounted here: not deleted');
    expect(readFileSync(work.at("elsewhere/precious"), "utf8")).toBe("stays");
    expect(readFileSync(work.at("elsewhere/folder/precious"), "utf8")).toBe("stays");
    expect(readFileSync(work.at("elsewhere/file"), "utf8")).toBe("new");
  });

  testMount("a source that is mounted in the target is not deleted", async () => {
    using work = createWorkspace();
    sourceAndTarget(work);
    using _bound = bindAt(work.at("target/in/it"), work.at("source"));
    const before = readStatuses(work.at("source"));
    const run = await runBlit(["mirror", "--yes", "source/", "target"], { cwd: work.path });
    expect(run.code).toBe(4);
    expect(readStatuses(work.at("source"))).toEqual(before);
  });
});
