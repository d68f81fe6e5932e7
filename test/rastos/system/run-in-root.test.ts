import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { runInRoot } from "../../../src/rastos/system/run-in-root.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

let work: Workspace;

function sh(line: string, environment: Readonly<Record<string, string>> = {}) {
  return runInRoot(work.path, { argv: ["/bin/sh", "-c", line], environment });
}

describeUnless(firstReason(needsRoot(), needsProgram("unshare", "busybox")))(
  "a program in a root",
  () => {
    beforeAll(() => {
      work = createWorkspace();
      for (const name of ["bin", "etc"]) mkdirSync(work.at(name));
      cpSync("/bin/busybox", work.at("bin/busybox"));
      for (const name of ["sh", "ls", "echo", "mount", "sleep", "kill", "cat", "env", "touch"]) {
        symlinkSync("busybox", work.at("bin", name));
      }
    });
    afterAll(() => work[Symbol.dispose]());

    test("has its exit code and its lines told", async () => {
      expect(await sh("echo one; echo two >&2; exit 3")).toMatchObject({ code: 3 });
      const seen: string[] = [];
      const argv = ["/bin/sh", "-c", "echo a; printf b"];
      await runInRoot(work.path, { argv, onLine: (line) => seen.push(line) });
      expect(seen).toEqual(["a", "b"]);
      expect((await sh("kill -9 $$")).code).toBe(137);
      expect((await sh("/nonesuch")).code).toBe(127);
    });

    test("sees its own processes, few devices, and what is said to it", async () => {
      const { lines } = await sh("ls /proc | grep -c '^[0-9]*$'; ls /dev; echo $A $SECRET", {
        A: "1",
      });
      expect(lines.join(" ")).not.toContain("sda");
      expect(lines).toContain("null");
      expect(lines.at(-1)).toBe("1");
      expect((await sh("echo x > /dev/null && cat /proc/self/mounts > /dev/null")).code).toBe(0);
    });

    test("leaves nothing in /tmp behind, and what it wrote elsewhere stays", async () => {
      await sh("touch /tmp/a /run/b /dev/c /etc/d");
      for (const name of ["tmp", "run", "dev", "proc"]) {
        expect(readdirSync(work.at(name))).toEqual([]);
      }
      expect(existsSync(work.at("etc/d"))).toBe(true);
    });

    test("takes all that it has started along", async () => {
      await sh("sleep 600 & sleep 600 & exit 0");
    }, 60_000);

    test("ends at a signal", async () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 200);
      const argv = ["/bin/sh", "-c", "sleep 60"];
      const run = runInRoot(work.path, { argv, signal: controller.signal });
      await expect(run).rejects.toMatchObject({
        code: "E_INTERRUPTED",
      });
    });

    test("is refused where a place for mounts leads elsewhere", async () => {
      using other = createWorkspace();
      symlinkSync("/proc", other.at("proc"));
      expect(runInRoot(other.path, { argv: ["/bin/true"] })).rejects.toMatchObject({
        code: "E_REFUSED",
      });
    });
  },
);
