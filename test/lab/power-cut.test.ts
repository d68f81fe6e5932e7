import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { binaryPath, runCommand, toolEnvironment } from "../support/binary.ts";
import { type CutMoment, countChangingCalls, runUntilCut } from "../support/power-cut.ts";
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
import { copyEsp, loaderEntries, problemsOf } from "./system-check.ts";

/**
 * kill -9 of rastos, and of all that it has started, at random moments of `apply` and `deploy`: by
 * the clock, and before the n-th call that changes something. Whatever the moment, the disk then
 * holds the old system or the new one as a whole, and the same command does its work the next time.
 */

setDefaultTimeout(3_600_000);

/** Cuts of each command; some of them are checked more closely. */
const CUTS = isLabLong() ? { deploy: 60, apply: 60 } : { deploy: 8, apply: 7 };
const CHECKED_EACH = 10;
const BOOTED_EACH = isLabLong() ? 10 : 15;

const reason = firstReason(
  needsLab(),
  needsRoot(),
  needsProgram("mkfs.btrfs", "mcopy", "sfdisk", "losetup", "strace", "btrfs"),
);
const test = testUnless(reason);
const seed = Number(process.env["TRIAD_TEST_SEED"] ?? (Date.now() % 2_147_483_646) + 1);

let work: Workspace;
let rastos: string;
let environment: Record<string, string>;
let cuts = 0;

describeUnless(reason)(`power cuts (TRIAD_TEST_SEED=${seed})`, () => {
  beforeAll(async () => {
    work = createWorkspace();
    rastos = await binaryPath("rastos");
    environment = toolEnvironment({ XDG_CACHE_HOME: work.at("cache") });
    const { servers } = await systemRepository();
    const declared = { loader: "systemd-boot", servers, services: ["hello-service"] } as const;
    const old = { ...declared, hostname: "lab-old", packages: ["hello-service"] };
    const next = { ...declared, hostname: "lab-new", packages: ["hello-service", "extra", "grub"] };
    work.write("old.toml", systemToml(old));
    work.write("new.toml", systemToml(next));
    const build = [rastos, "image", "build", work.at("old.toml"), "-o", work.at("pristine.raw")];
    const built = await runCommand([...build, "--size", "1G", "--esp-size", "128M"], {
      env: environment,
      timeoutMs: 300_000,
    });
    expect(built.stderr).not.toContain("error:");
  });

  afterAll(() => work[Symbol.dispose]());

  for (const verb of ["deploy", "apply"] as const) {
    test(`during ${verb}: always the old system or the new one`, async () => {
      const whole = await measure(verb);
      const dice = new Dice(seed);
      for (let number = 1; number <= CUTS[verb]; number++) {
        const moment = momentOf(whole, number, dice);
        try {
          await cutOnce(verb, moment);
        } catch (error) {
          throw new Error(`Cut ${number} of ${verb}, ${JSON.stringify(moment)}`, { cause: error });
        }
      }
    });
  }
});

/** What a command takes when nobody disturbs it. */
interface Whole {
  readonly durationMs: number;
  readonly calls: number;
}

async function measure(verb: Verb): Promise<Whole> {
  let durationMs: number;
  {
    using disk = freshDisk();
    const startedMs = performance.now();
    const run = await runUntilCut(commandOf(verb, disk), NEVER, environment);
    expect(run).toMatchObject({ isCut: false, code: 0 });
    durationMs = performance.now() - startedMs;
    expect(problemsOf(foldersOf(disk))).toEqual([]);
  }
  using disk = freshDisk();
  return { durationMs, calls: countChangingCalls(commandOf(verb, disk), environment) };
}

const NEVER: CutMoment = { kind: "time", afterMs: 600_000 };

/** Odd ones by the clock, even ones by the count of calls. */
function momentOf(whole: Whole, number: number, dice: Dice): CutMoment {
  if (number % 2 === 0) return { kind: "call", number: 1 + dice.below(whole.calls) };
  return { kind: "time", afterMs: 1 + dice.below(Math.ceil(whole.durationMs)) };
}

async function cutOnce(verb: Verb, moment: CutMoment): Promise<void> {
  cuts++;
  const isBooted = cuts % BOOTED_EACH === 0;
  {
    using disk = freshDisk();
    await runUntilCut(commandOf(verb, disk), moment, environment);
    const found = foldersOf(disk);
    expect(problemsOf(found)).toEqual([]);
    const names = loaderEntries(found.esp).map(({ name }) => name);
    // The old one is never gone, and at most one is new.
    expect(names).toContain("rastos-0-1");
    expect(new Set(names).size).toBeLessThanOrEqual(2);
  }
  if (cuts % CHECKED_EACH === 0) checkFilesystem();
  if (isBooted) await bootOnce();
  using disk = mountedDisk();
  await finish(verb, disk);
}

/** The same command once more: it cleans up, does its work, and leaves nothing behind. */
async function finish(verb: Verb, disk: LabDisk): Promise<void> {
  const again = await runUntilCut(commandOf(verb, disk), NEVER, environment);
  expect(again).toMatchObject({ isCut: false, code: 0 });
  const found = foldersOf(disk);
  expect(problemsOf(found)).toEqual([]);
  const entries = loaderEntries(found.esp).map(({ name }) => name);
  const folders = output(["ls", `${disk.top}/.snapshots/deploy`])
    .trim()
    .split("\n");
  expect(folders.map((name) => name.replace("deploy", "rastos")).sort()).toEqual(entries.sort());
  expect(output(["ls", "-A", `${disk.top}/.snapshots/tmp`])).toBe("");
  const kernels = output(["ls", `${found.esp}/EFI/rastos`])
    .trim()
    .split("\n");
  expect(kernels.map((name) => `rastos-${name}`).sort()).toEqual(entries.sort());
}

type Verb = "deploy" | "apply";

/** The image with its btrfs mounted. */
interface LabDisk extends Disposable {
  readonly image: string;
  readonly top: string;
}

function commandOf(verb: Verb, disk: LabDisk): readonly string[] {
  const place = ["--root", disk.top, "--esp", disk.image];
  if (verb === "deploy") return [rastos, "deploy", "0", ...place];
  return [rastos, "apply", work.at("new.toml"), ...place, "--yes"];
}

function freshDisk(): LabDisk {
  output(["cp", "--sparse=always", work.at("pristine.raw"), work.at("disk.raw")]);
  return mountedDisk();
}

function mountedDisk(): LabDisk {
  const image = work.at("disk.raw");
  const partition = topPartition(image);
  const mounted = mountPartition(image, partition, { at: work.at("top"), mountOptions: "rw" });
  return { image, top: mounted.path, [Symbol.dispose]: () => mounted[Symbol.dispose]() };
}

function topPartition(image: string): ReturnType<typeof partitionsOf>[number] {
  const partition = partitionsOf(image).at(-1);
  if (partition === undefined) throw new Error(`"${image}" has no partition`);
  return partition;
}

function foldersOf(disk: LabDisk): { readonly top: string; readonly esp: string } {
  output(["rm", "-rf", work.at("esp")]);
  return { top: disk.top, esp: copyEsp(disk.image, espOf(disk.image).offset, work.at("esp")) };
}

function checkFilesystem(): void {
  const image = work.at("disk.raw");
  const { offset, sizeBytes } = topPartition(image);
  const range = ["--offset", `${offset}`, "--sizelimit", `${sizeBytes}`];
  const device = output(["losetup", "--find", "--show", "--read-only", ...range, image]).trim();
  try {
    output(["btrfs", "check", device]);
  } finally {
    output(["losetup", "-d", device]);
  }
}

async function bootOnce(): Promise<void> {
  output(["cp", "--sparse=always", work.at("disk.raw"), work.at("boot.raw")]);
  await using guest = Guest.start({
    firmware: "uefi",
    variables: firmwareVariables(work.at("variables")),
    disks: [{ path: work.at("boot.raw"), format: "raw" }],
    reboots: true,
  });
  await guest.waitFor(/hello: this is lab-(old|new)/, { limitMs: 180_000 });
}
