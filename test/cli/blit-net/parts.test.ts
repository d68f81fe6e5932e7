import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { startNetDaemon } from "../../support/net-daemon.ts";
import { makeSecurity } from "../../support/net-security.ts";
import { startBlit } from "../../support/running-blit.ts";
import { describeUnless, firstReason, needsProgram } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** One large file is on its way: what its data connections have carried is asked of the kernel. */

const MIB = 2 ** 20;
const BIG_BYTES = 64 * MIB;
/** Slow enough to be looked at. */
const SLOW = ["--bwlimit", "24M"];

setDefaultTimeout(120_000);

/** Bytes of each connection of a daemon's data port, in the direction that has more. */
function carried(dataPort: number): number[] {
  const { stdout } = Bun.spawnSync(["ss", "-tinHO", "sport", "=", `:${dataPort}`]);
  return stdout
    .toString()
    .split("\n")
    .map((line) => {
      const counts = [...line.matchAll(/bytes_(?:sent|received):(\d+)/g)];
      return Math.max(0, ...counts.map((count) => Number(count[1])));
    });
}

/** Both ends are on this machine: see src/blit/remote/split-pays.ts. */
const processors = navigator.hardwareConcurrency > 2 ? undefined : "needs three processors";

describeUnless(firstReason(needsProgram("ss"), processors))("a large file", () => {
  let work: Workspace;
  beforeAll(() => {
    work = createWorkspace();
    work.write("root/big", randomBytes(BIG_BYTES));
  });
  afterAll(() => work[Symbol.dispose]());

  for (const kind of ["plain", "TLS"] as const) {
    for (const way of ["push", "pull"] as const) {
      test(`goes over two connections at once: ${way}, ${kind}`, async () => {
        const folder = work.folder(`${way}-${kind}`);
        const { daemon: lines, rest, client } = makeSecurity(kind, folder);
        const tables = [...rest, "[[module]]", 'name = "m"', `path = "${work.at("root")}"`];
        await using daemon = await startNetDaemon({ folder, daemon: lines, rest: tables });
        const local = way === "push" ? work.at("root/big") : work.at(`${way}-${kind}/copy`);
        const there = `${daemon.at}/m/${way === "push" ? `copy-${kind}` : "big"}`;
        const places = way === "push" ? [local, there] : [there, local];
        const flags = ["--yes", ...SLOW, ...client];
        const run = await startBlit(["copy", ...flags, ...places], { HOME: folder });
        await run.until(() => carried(daemon.dataPort).filter((n) => n > 5 * MIB).length > 1);
        expect(await run.ended()).toMatchObject({ code: 0 });
        const copy = way === "push" ? work.at(`root/copy-${kind}`) : local;
        expect(readFileSync(copy).equals(readFileSync(work.at("root/big")))).toBe(true);
      });
    }
  }
});
