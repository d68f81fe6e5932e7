import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { runTool } from "../support/binary.ts";
import {
  describeUnless,
  firstReason,
  needsProgram,
  needsRoot,
  testUnless,
} from "../support/skip.ts";
import { systemRepository } from "../support/system-repository.ts";
import { Dice } from "../support/version-cases.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";
import { output } from "./cache.ts";
import { systemToml } from "./declared.ts";
import { espOf, mountPartition, partitionsOf } from "./disk.ts";
import { firmwareVariables, Guest } from "./guest.ts";
import { isLabLong, needsLab } from "./needs.ts";
import { copyBootFiles, loaderEntries, problemsOf } from "./system-check.ts";
import { cutDisks, readWriteLog } from "./write-log.ts";

/**
 * What kill -9 cannot show: a disk that loses what was written and not flushed, in any order. A
 * machine deploys and rolls back, every write of it to its disk is logged, and the disk is put back
 * to what it may have held at random moments of that.
 */

setDefaultTimeout(1_800_000);

const CUTS = isLabLong() ? 100 : 12;
const BOOT = { limitMs: 120_000 };
const reason = firstReason(needsLab(), needsRoot(), needsProgram("mkfs.btrfs", "mcopy", "sfdisk"));
const test = testUnless(reason);
const seed = Number(process.env["TRIAD_TEST_SEED"] ?? (Date.now() % 2_147_483_646) + 1);

let work: Workspace;

describeUnless(reason)(`writes that are lost (TRIAD_TEST_SEED=${seed})`, () => {
  beforeAll(async () => {
    work = createWorkspace();
    const { servers } = await systemRepository();
    const declared = { hostname: "lab-old", loader: "systemd-boot", servers } as const;
    work.write("one.toml", systemToml({ ...declared, packages: [], services: [] }));
    const words = ["image", "build", work.at("one.toml"), "-o", work.at("pristine.raw")];
    words.push("--size", "1G", "--esp-size", "128M", "--cache", work.at("packages"));
    const built = await runTool("rastos", words, { timeoutMs: 300_000 });
    expect(built.stderr).not.toContain("error:");
  });

  afterAll(() => work[Symbol.dispose]());

  test("leave the old system or the new one, after deploy, bless and rollback", async () => {
    const from = await deployInGuest();
    const writes = readWriteLog(work.at("writes"));
    expect(writes.length).toBeGreaterThan(from + 20);
    const dice = new Dice(seed);
    const problems: string[] = [];
    let lost = 0;
    const cuts = cutDisks({
      ...{ log: work.at("writes"), writes, from, count: CUTS },
      ...{ image: work.at("pristine.raw"), to: work.at("cut.raw") },
      random: () => dice.below(1_000_000) / 1_000_000,
    });
    for (const cut of cuts) {
      lost += cut.lost;
      problems.push(...problemsNow().map((text) => `${JSON.stringify(cut)}: ${text}`));
    }
    expect(problems).toEqual([]);
    // A log of which nothing can get lost would show nothing.
    expect(lost).toBeGreaterThan(0);
  });
});

/** Returns how many writes there were before. */
async function deployInGuest(): Promise<number> {
  output(["cp", "--sparse=always", work.at("pristine.raw"), work.at("disk.raw")]);
  writeFileSync(work.at("writes"), "");
  await using guest = Guest.start({
    firmware: "uefi",
    variables: firmwareVariables(work.at("variables")),
    disks: [{ path: work.at("disk.raw"), format: "raw", log: work.at("writes") }],
  });
  await guest.waitFor("lab: console", BOOT);
  // The blessing at the end of the boot is not what is looked at.
  const isGood =
    "until rastos service list | grep -q 'rastos-bless.* done'; do sleep 1; done; sync";
  expect(await guest.run(isGood, BOOT)).toMatchObject({ code: 0 });
  const from = readWriteLog(work.at("writes")).length;
  const commands = ["rastos deploy 0", "rastos boot bless 2", "rastos rollback --yes", "sync"];
  for (const command of commands) {
    expect({ command, ...(await guest.run(command, BOOT)) }).toMatchObject({ code: 0 });
  }
  await guest.cut();
  return from;
}

function problemsNow(): readonly string[] {
  const image = work.at("cut.raw");
  truncateSync(image, Bun.file(work.at("disk.raw")).size);
  const partition = partitionsOf(image).at(-1);
  if (partition === undefined) return ["there is no partition left"];
  output(["rm", "-rf", work.at("esp")]);
  const esp = copyBootFiles(image, espOf(image).offset, work.at("esp"));
  const mountOptions = { at: work.at("top"), mountOptions: "rw" };
  using mounted = mountPartition(image, partition, mountOptions);
  const problems = [...problemsOf({ top: mounted.path, esp })];
  const entries = loaderEntries(esp);
  const old = entries.filter(({ name }) => name === "rastos-0-1");
  if (old.length === 0) problems.push("the old system has no entry");
  // It is never what is rolled back.
  if (old.some(({ triesLeft }) => triesLeft === 0))
    problems.push("the old system is marked as bad");
  return problems;
}
