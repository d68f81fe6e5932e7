import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { binaryPath, runCommand } from "../../support/binary.ts";
import { type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { NetLab, networkMissing } from "../../support/net-lab.ts";
import { startBlit, untilLetGo } from "../../support/running-blit.ts";
import { describeUnless, firstReason } from "../../support/skip.ts";
import { differences, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/**
 * What goes over the wire, by the counters of the client's interface, where the other side has most
 * of a file already.
 */

const MIB = 2 ** 20;
const BIG_BYTES = 48 * MIB;
/** Hashes, acknowledgements and headers. */
const SLACK = 1.5 * MIB;

setDefaultTimeout(60_000);

describeUnless(firstReason(networkMissing(), treeToolsMissing()))("on the wire", () => {
  let work: Workspace;
  let lab: NetLab;
  let daemon: NetDaemon;
  const content = randomBytes(BIG_BYTES);
  beforeAll(async () => {
    work = createWorkspace();
    lab = new NetLab(2);
    const root = work.folder("root");
    const host = lab.hosts[1];
    daemon = await startNetDaemon({ folder: work.at("daemon"), host, root });
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    lab[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  for (const direction of ["push", "pull"] as const) {
    const isPush = direction === "push";
    const source = (): string => (isPush ? work.at("local/s") : work.at("root/s"));
    const target = (): string => (isPush ? work.at("root/t") : work.at("local/t"));
    const args = (): string[] =>
      isPush ? [`${source()}/`, `${daemon.at}/m/t/`] : [`${daemon.at}/m/s/`, `${target()}/`];

    /** Both sides alike, then the source has `changed`; returns the bytes of bringing it over. */
    async function cost(changed: Uint8Array, ...flags: string[]): Promise<number> {
      prepare(changed);
      return await run(...flags);
    }

    function prepare(changed: Uint8Array): void {
      for (const place of [source(), target()]) rmSync(place, { recursive: true, force: true });
      const name = (place: string): string => place.slice(work.path.length + 1);
      work.write(`${name(source())}/big`, changed);
      const old = { mtimeSeconds: 1_500_000_000 };
      work.write(`${name(target())}/big`, content, old);
    }

    async function run(...flags: string[]): Promise<number> {
      const client = lab.hosts[0];
      if (client === undefined) throw new Error("no host");
      const before = client.traffic();
      const argv = [await binaryPath("blit"), "copy", "-y", ...flags, ...args()];
      const { code, stderr } = await runCommand(client.on(argv));
      expect(code, stderr).toBe(0);
      expect(differences(source(), target())).toBe("");
      return client.traffic() - before;
    }

    test(`${direction}: 1 MiB changed in the middle costs little more than that`, async () => {
      const changed = Buffer.from(content);
      randomBytes(MIB).copy(changed, BIG_BYTES / 2);
      expect(await cost(changed)).toBeLessThan(MIB + SLACK);
    });

    test(`${direction}: hashes of a base that has long been as it is are used again`, async () => {
      const changed = Buffer.from(content);
      randomBytes(MIB).copy(changed, BIG_BYTES / 3);
      prepare(changed);
      // Longer than a file may be young to be looked at once more (settledSeconds).
      const { ctimeMs } = statSync(`${target()}/big`);
      while (Date.now() < ctimeMs + 3500) await Bun.sleep(50);
      expect(await run()).toBeLessThan(MIB + SLACK);
    });

    test(`${direction}: bytes put in at the beginning cost little`, async () => {
      const longer = Buffer.concat([Buffer.from("something new at the beginning"), content]);
      expect(await cost(longer)).toBeLessThan(SLACK);
    });

    test(`${direction}: a file that was cut costs nearly nothing`, async () => {
      expect(await cost(content.subarray(0, BIG_BYTES - 12_345))).toBeLessThan(SLACK);
    });

    test(`${direction}: equal content with another time is only compared`, async () => {
      const bytes = await cost(content, "--checksum");
      expect(bytes).toBeLessThan(SLACK);
    });

    test(`${direction}: something else entirely is not much dearer than sending it`, async () => {
      expect(await cost(randomBytes(BIG_BYTES))).toBeLessThan(BIG_BYTES * 1.1 + SLACK);
    });

    test(`${direction}: an interrupted transfer goes on where it was`, async () => {
      for (const place of [source(), target()]) rmSync(place, { recursive: true, force: true });
      work.write(`${source().slice(work.path.length + 1)}/big`, content);
      const client = lab.hosts[0];
      if (client === undefined) throw new Error("no host");
      const [program, ...rest] = client.on([await binaryPath("blit"), "copy", "-y"]);
      const slow = await startBlit([...rest, "--bwlimit", "16M", ...args()], {}, program);
      await slow.until(() => hiddenBytes(target()) > BIG_BYTES / 2);
      slow.process.kill("SIGKILL");
      await slow.ended();
      // The daemon ends its side when it sees that the client is gone.
      await untilLetGo(daemon.pid, target());
      expect(readdirSync(target())).toEqual([expect.stringMatching(/partial/)]);
      expect(await run()).toBeLessThan(BIG_BYTES * 0.6 + SLACK);
      expect(readdirSync(target())).toEqual(["big"]);
    });
  }
});

/** Bytes of the largest file with a hidden name of blit below a folder. */
function hiddenBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  const names = readdirSync(folder).filter((name) => name.startsWith(".blit-"));
  const sizes = names.map((name) => {
    const status = statSync(`${folder}/${name}`, { throwIfNoEntry: false });
    return status === undefined ? 0 : Math.min(status.size, status.blocks * 512);
  });
  return Math.max(0, ...sizes);
}
