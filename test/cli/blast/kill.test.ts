/**
 * kill -9 at random moments. TRIAD_BLAST_KILLS: how many (60 by default). The next command finds
 * what was before or what was wanted, never a mixture: by blast's own check, and by a Python script
 * that knows nothing of blast.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { FaultCount } from "../../../ffi/fault-count.ts";
import { binaryPath, toolEnvironment } from "../../support/binary.ts";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";

const KILLS = Number(process.env["TRIAD_BLAST_KILLS"] ?? 60);
setDefaultTimeout(60_000 + KILLS * 5_000);

/** Packages with many files, so that there is something to be in the middle of. */
function offer({ index }: BlastWorld, version: string): void {
  for (let at = 0; at < 8; at += 1) {
    const name = `pkg${at}`;
    const files = Object.fromEntries(
      Array.from({ length: 25 }, (_, file) => [
        `${name}/part${file % 5}/mod${file}_v${version.replace(".", "_")}.py`,
        `X = "${version}"\n`.repeat(file * 20),
      ]),
    );
    const script = `${name}-${version}.data/scripts/run${at}`;
    index.add({
      name,
      version,
      requires: at === 0 ? [] : [`pkg${at - 1}==${version}`],
      files: { ...files, [`${name}/__init__.py`]: `V = "${version}"\n`, [script]: "#!python\n" },
      entryPoints: `[console_scripts]\n${name} = ${name}:main\n`,
    });
  }
}

/** Kills blast before a call of its own choice, or after so many milliseconds. */
async function killed(world: BlastWorld, args: readonly string[], when: number | string) {
  const child = Bun.spawn([await binaryPath("blast"), ...args], {
    cwd: world.project,
    env: toolEnvironment({
      ...world.env,
      ...(typeof when === "string" ? { TRIAD_FAULTS: when } : {}),
    }),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  const timer =
    typeof when === "string" ? undefined : setTimeout(() => child.kill("SIGKILL"), when);
  await child.exited;
  clearTimeout(timer);
  return child.signalCode === "SIGKILL";
}

/** How many calls the main thread makes, and how long it takes, undisturbed. */
async function measured(world: BlastWorld, args: readonly string[]) {
  const count = world.work.at("count");
  const startedMs = performance.now();
  const run = await world.blast(args, { env: { TRIAD_FAULTS_COUNT: count } });
  expect([run.code, run.stderr]).toEqual([0, run.stderr]);
  const { threads } = JSON.parse(readFileSync(count, "utf8")) as FaultCount;
  return { calls: threads[0]?.total ?? 0, tookMs: performance.now() - startedMs };
}

/** The project's files, and what is installed. */
function state(world: BlastWorld): string {
  const files = ["blast.toml", "pylock.toml"].map((name) =>
    existsSync(join(world.project, name)) ? readFileSync(join(world.project, name), "utf8") : null,
  );
  return JSON.stringify([files, existsSync(world.venv) ? world.installed() : {}]);
}

interface Scene {
  readonly args: readonly string[];
  readonly before: readonly (readonly string[])[];
}

const OLD = ["install", "pkg7==1.0"];
const NEW = ["install", "pkg7==2.0"];

const SCENES: Readonly<Record<string, Scene>> = {
  "install into nothing": { args: OLD, before: [] },
  "upgrade of everything": { args: NEW, before: [OLD] },
  "removal of everything": { args: ["remove", "pkg7"], before: [OLD] },
  undo: { args: ["undo"], before: [OLD, NEW] },
};

for (const [name, { args, before }] of Object.entries(SCENES)) {
  test(name, async () => {
    // Memory takes these many copies faster than a disk.
    await using world = await blastWorld(secondFilesystem());
    offer(world, "1.0");
    offer(world, "2.0");
    for (const command of before) await world.ok(...command);
    const kept = world.work.at("kept");
    copyTree(world.project, kept);
    const old = state(world);
    // The first run fetches, the second one is as the others will be.
    await world.ok(...args);
    const fresh = state(world);
    expect(fresh).not.toBe(old);
    copyTree(kept, world.project);
    const { calls, tookMs } = await measured(world, args);
    const kills = Math.ceil(KILLS / Object.keys(SCENES).length);
    let hits = 0;
    for (let kill = 0; kill < kills || (hits <= kills / 2 && kill < 3 * kills); kill += 1) {
      copyTree(kept, world.project);
      const at = `*:KILL@${1 + Math.floor(Math.random() * calls)}`;
      const when = kill % 3 === 0 ? tookMs * Math.random() : at;
      if (await killed(world, args, when)) hits += 1;
      try {
        await expectOldOrNew(world, old, fresh);
      } catch (error) {
        throw new Error(`killed at ${when}: ${(error as Error).message}`);
      }
    }
    expect(hits).toBeGreaterThan(kills / 2);
  });
}

function copyTree(from: string, to: string): void {
  const run = Bun.spawnSync(["sh", "-c", 'rm -rf "$2" && cp -a "$1" "$2"', "sh", from, to]);
  if (!run.success) throw new Error(run.stderr.toString());
}

/** Transactions that are not ended, and what is to be deleted. */
function leftovers(world: BlastWorld): string[] {
  const folder = join(world.venv, ".blast");
  return existsSync(folder) ? readdirSync(folder).filter((one) => /^(open|trash)/.test(one)) : [];
}

async function expectOldOrNew(world: BlastWorld, old: string, fresh: string): Promise<void> {
  const listing = await world.blast(["list", "--json"]);
  const isThere = existsSync(join(world.venv, "pyvenv.cfg"));
  // Without an environment before, half of one is none: the next command that needs it makes it.
  if (listing.code === 1 && !old.includes("pkg7")) await world.ok("start", "--no-sync");
  else expect([listing.code, listing.stderr, isThere]).toEqual([0, listing.stderr, true]);
  const now = state(world);
  if (now !== fresh) expect(now).toBe(old);
  expect(world.flaws()).toEqual([]);
  const check = await world.blast(["check"]);
  expect([check.code, check.stdout]).toEqual([0, ""]);
  expect(leftovers(world)).toEqual([]);
}
