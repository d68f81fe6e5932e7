import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { binaryPath } from "../../support/binary.ts";
import { type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { type NetHost, NetLab, networkMissing } from "../../support/net-lab.ts";
import { makeSecurity } from "../../support/net-security.ts";
import { startBlit } from "../../support/running-blit.ts";
import { describeUnless, firstReason, needsProgram } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/**
 * One large file is on its way between hosts (on the loopback of a small machine it is not split,
 * see src/blit/remote/split-pays.ts): the kernel says what each data connection has carried.
 */

const MIB = 2 ** 20;
const BIG_BYTES = 64 * MIB;
/** Slow enough to be looked at. */
const SLOW = ["--bwlimit", "24M"];

setDefaultTimeout(120_000);

/** Bytes of each connection of a daemon's data port, in the direction that has more. */
function carried(host: NetHost, dataPort: number): number[] {
  const { stdout } = Bun.spawnSync(host.on(["ss", "-tinHO", "sport", "=", `:${dataPort}`]));
  return stdout
    .toString()
    .split("\n")
    .map((line) => {
      const counts = [...line.matchAll(/bytes_(?:sent|received):(\d+)/g)];
      return Math.max(0, ...counts.map((count) => Number(count[1])));
    });
}

describeUnless(firstReason(networkMissing(), needsProgram("ss", "openssl")))("a large file", () => {
  let work: Workspace;
  let lab: NetLab;
  beforeAll(() => {
    work = createWorkspace();
    work.write("a/big", randomBytes(BIG_BYTES));
    lab = new NetLab(3);
  });
  afterAll(() => {
    lab[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  for (const kind of ["plain", "TLS"] as const) {
    for (const way of ["push", "pull", "between daemons"] as const) {
      test(`goes over two connections at once: ${way}, ${kind}`, async () => {
        const [here, hostA, hostB] = lab.hosts;
        if (here === undefined || hostA === undefined || hostB === undefined) throw new Error();
        const folder = work.folder(`${way}-${kind}`);
        const security = makeSecurity(kind, folder);
        await using a = await daemonOn(hostA, "a");
        await using b = await daemonOn(hostB, "b");
        const copy = `copy-${kind}-${way}`;
        const from = way === "push" ? work.at("a/big") : `${a.at}/m/big`;
        const to = way === "pull" ? work.at("b", copy) : `${b.at}/m/${copy}`;
        const flags = ["copy", "--yes", ...SLOW, ...security.client];
        const [program, ...rest] = here.on([await binaryPath("blit"), ...flags, from, to]);
        const run = await startBlit(rest, { HOME: folder }, program);
        const [host, daemon] = way === "push" ? [hostB, b] : [hostA, a];
        const busy = () => carried(host, daemon.dataPort).filter((bytes) => bytes > 5 * MIB);
        await run.until(() => busy().length > 1);
        expect(await run.ended()).toMatchObject({ code: 0 });
        expect(readFileSync(work.at("b", copy)).equals(readFileSync(work.at("a/big")))).toBe(true);

        async function daemonOn(where: NetHost, name: string): Promise<NetDaemon> {
          const module = ["[[module]]", 'name = "m"', `path = "${work.folder(name)}"`];
          const own = work.folder(`${way}-${kind}/daemon-${name}`);
          const rest = [...security.rest, ...module];
          return startNetDaemon({ folder: own, host: where, daemon: security.daemon, rest });
        }
      });
    }
  }
});
