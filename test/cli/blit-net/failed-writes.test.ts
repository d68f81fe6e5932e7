import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, readFileSync, utimesSync } from "node:fs";
import { basename } from "node:path";
import { runBlit } from "../../support/binary.ts";
import { cannotBind, memoryAt } from "../../support/mount-at.ts";
import { type NetDaemon, type NetDaemonOptions, startNetDaemon } from "../../support/net-daemon.ts";
import { nobody, runAsNobody } from "../../support/nobody.ts";
import { describeUnless, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/**
 * The target has another file of the same size, of which parts could be used again, but the new one
 * cannot be written: that is told, and a move leaves its source alone.
 */

const BYTES = 1 << 20;
const wanted = randomBytes(BYTES);
const present = Buffer.from(wanted);
/** The last block differs: the first ones are taken from what is there. */
present.fill(0, BYTES - 1000);

setDefaultTimeout(60_000);

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
  for (const [path, content] of [
    ["s/file", wanted],
    ["root/t/file", present],
  ] as const) {
    work.write(path, content, { mtimeSeconds: 1_500_000_000 });
  }
});
afterEach(() => work[Symbol.dispose]());

const start = (options: Partial<NetDaemonOptions> = {}): Promise<NetDaemon> =>
  startNetDaemon({ folder: work.at("daemon"), root: work.at("root"), ...options });

type Told = { readonly issues: readonly { readonly code: string; readonly path: string }[] };

function issuesOf(stdout: string): string[] {
  const { issues } = JSON.parse(stdout) as Told;
  return issues.map(({ code, path }) => `${code} ${basename(path)}`);
}

describe("a delta that cannot be written", () => {
  for (const [command, args] of [
    ["copy", ["--checksum"]],
    ["move", []],
  ] as const) {
    test(`${command}: a disk that fails is told, and the source stays`, async () => {
      await using daemon = await start({ env: { TRIAD_FAULTS: "pwrite:EIO@1+" } });
      const to = `${daemon.at}/m/t/`;
      const run = await runBlit([command, "-y", "--json", ...args, work.at("s/"), to]);
      expect(run.code, run.stderr).toBe(4);
      expect(issuesOf(run.stdout)).toContain("EIO file");
      expect(readFileSync(work.at("s/file")).equals(wanted)).toBe(true);
      expect(readFileSync(work.at("root/t/file")).equals(present)).toBe(true);
    });

    test(`${command}: and so is one that is full`, async () => {
      await using daemon = await start({ env: { TRIAD_FAULTS: "pwrite:ENOSPC@1+" } });
      const to = `${daemon.at}/m/t/`;
      const run = await runBlit([command, "-y", ...args, work.at("s/"), to]);
      expect(run.code, run.stderr).toBe(1);
      expect(run.stderr).toContain("no space is left");
      expect(readFileSync(work.at("s/file")).equals(wanted)).toBe(true);
      expect(readFileSync(work.at("root/t/file")).equals(present)).toBe(true);
    });
  }
});

describeUnless(nobody.reason)("a target folder that is closed", () => {
  for (const [command, args] of [
    ["copy", ["--checksum"]],
    ["move", []],
  ] as const) {
    test(`${command}: is told, and the source stays`, async () => {
      work.write("root/s/file", wanted, { mtimeSeconds: 1_500_000_000 });
      work.write("mine/t/file", present, { mtimeSeconds: 1_500_000_000 });
      for (const place of ["", "mine", "mine/t", "mine/t/file"]) {
        if (place !== "") chownSync(work.at(place), nobody.id, nobody.id);
        chmodSync(work.at(place), 0o755);
      }
      // The same as the source's, so that it stays closed.
      for (const place of ["mine/t", "root/s"]) chmodSync(work.at(place), 0o555);
      await using daemon = await start();
      const from = `${daemon.at}/m/s/`;
      const run = await runAsNobody([command, "-y", "--json", ...args, from, work.at("mine/t/")]);
      expect(run.code, run.stderr).toBe(4);
      expect(issuesOf(run.stdout)).toContain("EACCES file");
      expect(readFileSync(work.at("root/s/file")).equals(wanted)).toBe(true);
      expect(readFileSync(work.at("mine/t/file")).equals(present)).toBe(true);
    });
  }
});

testUnless(cannotBind())("a move syncs what is mounted inside its target", async () => {
  work.write("s/mnt/in/file", "inner");
  utimesSync(work.at("root/t/file"), 1, 1);
  using _mounted = memoryAt(work.at("root/t/mnt"));
  const counted = work.at("counted");
  const daemon = await start({ env: { TRIAD_FAULTS_COUNT: counted } });
  const run = await runBlit(["move", "-y", work.at("s/"), `${daemon.at}/m/t/`]);
  expect(run.code, run.stderr).toBe(0);
  expect(existsSync(work.at("s"))).toBe(false);
  expect(readFileSync(work.at("root/t/mnt/in/file"), "utf8")).toBe("inner");
  daemon.kill("SIGTERM");
  await daemon.ended();
  type Counted = { readonly threads: readonly { readonly calls: Record<string, number> }[] };
  const [main, ...streams] = (JSON.parse(readFileSync(counted, "utf8")) as Counted).threads;
  expect(main?.calls["syncfs"]).toBe(1);
  expect(streams.some(({ calls }) => (calls["syncfs"] ?? 0) > 0)).toBe(true);
});
