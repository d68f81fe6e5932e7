/** A daemon that has served many sessions holds nothing of them. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { memoryMib, type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { startBlit } from "../../support/running-blit.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

let work: Workspace;
let daemon: NetDaemon;

beforeAll(async () => {
  work = createWorkspace();
  for (let folder = 0; folder < 40; folder++) {
    const path = `root/s/a${folder % 3}/b${folder % 5}/c${folder}`;
    for (let file = 0; file < 10; file++) work.write(`${path}/f${file}`, randomBytes(3000));
  }
  work.write("root/s/a1/large", randomBytes(30 * 1024 * 1024));
  daemon = await startNetDaemon({ folder: work.at("daemon"), root: work.at("root") });
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  work[Symbol.dispose]();
});

/** What the daemon has open below the folder that it serves. */
function opened(): string[] {
  const folder = `/proc/${daemon.pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      const path = readlinkSync(`${folder}/${fd}`);
      return path.startsWith(work.at("root/s")) ? [path] : [];
    } catch {
      return []; // Closed meanwhile.
    }
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let n = 0; n < 1200 && !isTrue(); n++) await Bun.sleep(25);
}

test("pulls and pushes that are cut off leave no descriptors behind", async () => {
  const before = opened().length;
  let cuts = 0;
  for (let round = 0; cuts < 12 && round < 60; round++) {
    const isPull = round % 3 !== 0;
    const remote = `${daemon.at}/m/s${isPull ? "" : `/pushed${round}`}/`;
    const local = isPull ? work.at(`pulled${round}/`) : work.at("root/s/a0/");
    const words = isPull ? [remote, local] : [local, remote];
    // Slow enough to be in the middle of something.
    const running = await startBlit(["copy", "--yes", "--bwlimit", "20M", ...words]);
    await Promise.race([Bun.sleep(150 + 40 * round), running.process.exited]);
    running.process.kill("SIGKILL");
    await running.process.exited;
    if (running.process.signalCode === "SIGKILL") cuts++;
  }
  expect(cuts).toBeGreaterThan(8);
  await until(() => opened().length <= before);
  expect(opened()).toHaveLength(before);
});

test("sessions that are over take no memory", async () => {
  const session = async (number: number): Promise<void> => {
    const run = await runBlit(["copy", "--yes", `${daemon.at}/m/s/a0/`, work.at(`m${number}/`)]);
    expect(run.code, run.stderr).toBe(0);
  };
  for (let number = 0; number < 4; number++) await session(number);
  const before = memoryMib(daemon.pid, "VmSize");
  for (let number = 4; number < 24; number++) await session(number);
  // Each maps more than a hundred MiB.
  const grown = (): number => memoryMib(daemon.pid, "VmSize") - before;
  await until(() => grown() < 300);
  expect(grown()).toBeLessThan(300);
});
