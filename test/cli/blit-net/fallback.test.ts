import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { binaryPath, runCommand } from "../../support/binary.ts";
import { type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { NetLab, networkMissing } from "../../support/net-lab.ts";
import { describeUnless, firstReason } from "../../support/skip.ts";
import { differences, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** Where the data goes when it cannot go the straight way, and that it does where it can. */

const MIB = 2 ** 20;
const BIG_BYTES = 16 * MIB;

setDefaultTimeout(60_000);

describeUnless(firstReason(networkMissing(), treeToolsMissing()))("ways of the data", () => {
  let work: Workspace;
  let lab: NetLab;
  let a: NetDaemon;
  let b: NetDaemon;
  beforeEach(async () => {
    work = createWorkspace();
    lab = new NetLab(3);
    const start = (name: string, n: number): Promise<NetDaemon> => {
      const root = work.folder(name);
      return startNetDaemon({ folder: work.at(`daemon-${name}`), host: lab.hosts[n], root });
    };
    [a, b] = [await start("a", 1), await start("b", 2)];
    for (const place of ["local", "a"]) {
      work.write(`${place}/s/big`, randomBytes(BIG_BYTES));
      for (let n = 0; n < 50; n++) work.write(`${place}/s/many/${n}`, randomBytes(n * 100));
    }
  });
  afterEach(async () => {
    for (const daemon of [a, b]) await daemon[Symbol.asyncDispose]();
    lab[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  /** Copies on the client's host; how many warnings it gave and what went over its interface. */
  async function copy(from: string, to: string, env: Record<string, string>, ...flags: string[]) {
    const client = lab.hosts[0];
    if (client === undefined) throw new Error("no host");
    const before = client.traffic();
    const argv = [await binaryPath("blit"), "copy", "-y", ...flags, from, to];
    const run = await runCommand(client.on(argv), { env });
    expect(run.code, run.stderr).toBe(0);
    const warnings = run.stderr.split("\n").filter((line) => line.startsWith("warning:"));
    return { warnings, traffic: client.traffic() - before };
  }

  const push = () => [`${work.at("local/s")}/`, `${a.at}/m/t/`] as const;

  test("a data port that drops everything: one warning, and all arrives", async () => {
    lab.hosts[1]?.drop(a.dataPort);
    const { warnings } = await copy(...push(), {});
    expect(warnings).toHaveLength(1);
    expect(differences(work.at("local/s"), work.at("a/t"))).toBe("");
    const pull = await copy(`${a.at}/m/s/`, `${work.at("local/back")}/`, {});
    expect(pull.warnings).toHaveLength(1);
    expect(differences(work.at("a/s"), work.at("local/back"))).toBe("");
  });

  test("--force-grpc-data and BLIT_FORCE_GRPC_DATA never try the data port", async () => {
    // Whoever tried it would wait, and warn.
    lab.hosts[1]?.drop(a.dataPort);
    const byFlag = await copy(...push(), {}, "--force-grpc-data");
    expect(byFlag.warnings).toEqual([]);
    const byVariable = await copy(`${a.at}/m/s/`, `${work.at("local/back")}/`, {
      BLIT_FORCE_GRPC_DATA: "1",
    });
    expect(byVariable.warnings).toEqual([]);
    expect(differences(work.at("local/s"), work.at("a/t"))).toBe("");
    expect(differences(work.at("a/s"), work.at("local/back"))).toBe("");
  });

  test("between two daemons the content does not go through the client", async () => {
    const { warnings, traffic } = await copy(`${a.at}/m/s/`, `${b.at}/m/t/`, {});
    expect(warnings).toEqual([]);
    expect(traffic).toBeLessThan(MIB);
    expect(differences(work.at("a/s"), work.at("b/t"))).toBe("");
  });

  test("daemons that cannot reach each other: the client relays, and says so once", async () => {
    lab.hosts[1]?.reject(a.port, lab.hosts[2]?.address);
    const { warnings, traffic } = await copy(`${a.at}/m/s/`, `${b.at}/m/t/`, {});
    expect(warnings).toHaveLength(1);
    expect(traffic).toBeGreaterThan(2 * BIG_BYTES);
    expect(differences(work.at("a/s"), work.at("b/t"))).toBe("");
  });

  test("--compress sends less of what shrinks where the link is slow", async () => {
    work.write("local/s/big", "the same words again and again; ".repeat(BIG_BYTES / 32));
    const { traffic } = await copy(...push(), {}, "--compress", "--bwlimit", "4M");
    expect(traffic).toBeLessThan(BIG_BYTES);
    expect(differences(work.at("local/s"), work.at("a/t"))).toBe("");
  });
});
