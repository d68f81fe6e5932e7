import { expect, test } from "bun:test";
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { peakUnavailable, runCommand } from "./binary.ts";
import { cannotMount, type FilesystemKind, mountFilesystem } from "./loop-filesystem.ts";
import { firstReason, needsProgram, testUnless } from "./skip.ts";
import { createWorkspace } from "./workspace.ts";

test("a workspace is gone after its scope, paths beyond PATH_MAX too", () => {
  let path: string;
  {
    using work = createWorkspace();
    path = work.path;
    const file = work.write("a/b.txt", "text", { mode: 0o640, mtimeSeconds: 86_400 });
    expect(readFileSync(file, "utf8")).toBe("text");
    expect(statSync(file).mtimeMs).toBe(86_400_000);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    // Two chains of 3,000 bytes, one moved to the end of the other.
    const upper = work.folder(`a/${chain("u")}`);
    work.folder(chain("l"));
    renameSync(work.at("l".repeat(200)), `${upper}/l`);
  }
  expect(existsSync(path)).toBe(false);
});

test("a command's result tells code, signal, output and input", async () => {
  const result = await runCommand(["sh", "-c", "cat; echo err >&2; exit 7"], { stdin: "in" });
  expect(result).toEqual({ code: 7, stdout: "in", stderr: "err\n" });
  const killed = await runCommand(["sh", "-c", "kill -TERM $$"]);
  expect(killed.code).toBe(143);
  expect(runCommand(["sleep", "60"], { timeoutMs: 50 })).rejects.toThrow("Killed after 50 ms");
});

test("a command gets its own HOME and nothing of Bun's switches", async () => {
  const result = await runCommand(["env"], { env: { EXTRA: "1", LANG: undefined } });
  expect(result.stdout).toContain("EXTRA=1");
  expect(result.stdout).not.toContain("LANG=");
  expect(result.stdout).not.toContain(`HOME=${process.env["HOME"]}\n`);
});

testUnless(peakUnavailable())("peak memory is the child's own, not the runner's", async () => {
  const result = await runCommand(["true"], { measureMemory: true });
  expect(result.peakRssKiB).toBeGreaterThan(500);
  expect(result.peakRssKiB).toBeLessThan(10_000);
});

function chain(letter: string): string {
  return Array.from({ length: 15 }, () => letter.repeat(200)).join("/");
}

const KINDS: FilesystemKind[] = ["ext4", "ext2", "btrfs", "vfat", "tmpfs", "ramfs"];
for (const kind of KINDS) {
  const reason = firstReason(cannotMount(kind), needsProgram("stat"));
  testUnless(reason)(`a fresh ${kind} is mounted and goes with its scope`, async () => {
    let path: string;
    {
      using mounted = mountFilesystem({ kind, sizeBytes: 128 * 1024 * 1024 });
      path = mounted.path;
      writeFileSync(`${path}/file`, "x");
      const shown = await runCommand(["stat", "-f", "-c", "%T", path]);
      expect(shown.stdout.trim()).toMatch(
        {
          ext4: /ext2/,
          ext2: /ext2/,
          btrfs: /btrfs/,
          vfat: /msdos/,
          tmpfs: /tmpfs/,
          ramfs: /ramfs/,
        }[kind],
      );
    }
    expect(existsSync(path)).toBe(false);
  });
}
