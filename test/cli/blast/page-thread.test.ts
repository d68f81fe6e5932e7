/** What a run leaves in the cache when a thread has written it, and in temporary folders. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

const LIBRARIES = 40;

/** A page that is large enough for a thread, and others that come when it is there. */
function offer({ index }: BlastWorld): void {
  const names = Array.from({ length: LIBRARIES }, (_, number) => `lib${number}`);
  index.add({ name: "app", version: "1.0", requires: names });
  for (const name of names) index.add({ name, version: "1.0" });
  index.fault(/^\/simple\/app\/$/, async (_, answer) => {
    const response = answer();
    const page = (await response.json()) as object;
    const padded = JSON.stringify({ ...page, padding: "x".repeat(2 * 1024 * 1024) });
    return new Response(padded, { headers: response.headers });
  });
  index.fault(/^\/simple\/lib/, async (_, answer) => {
    await Bun.sleep(200);
    return answer();
  });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
}

test("all that was learned is kept when the command ends", async () => {
  await using world = await blastWorld();
  offer(world);
  world.write("requirements.in", "app\n");
  const first = await world.ok("compile", "requirements.in", "--no-header");
  const learned = ["app", ...Array.from({ length: LIBRARIES }, (_, number) => `lib${number}`)];
  const named = (end: string): string[] => learned.map((name) => name + end).sort();
  expect(filesBelow(join(world.cache, "pages-v1"))).toEqual(named(".page"));
  expect(filesBelow(join(world.cache, "metadata-v1"))).toEqual(named(".lines"));

  // Solved anew from what is kept, and from nothing else.
  const asked = world.index.asked.length;
  const env = { ...world.env, BLAST_SOLVE_ANEW: "1" };
  const again = await world.blast(["compile", "requirements.in", "--no-header"], { env });
  expect(again.stdout).toBe(first.stdout);
  expect(world.index.asked.length).toBe(asked);
});

for (const [flags, variables] of [
  [["--no-cache"], {}],
  [[], { PIP_NO_CACHE_DIR: "1" }],
] as const) {
  const name = `what was fetched without a cache is gone: ${JSON.stringify([flags, variables])}`;
  test(name, async () => {
    await using world = await blastWorld();
    world.index.add({ name: "app", version: "1.0" });
    const folder = world.work.folder("temporary");
    const env = { ...world.env, ...variables, TMPDIR: folder };
    const run = await world.blast(["install", "--no-record", ...flags, "app"], { env });
    expect(run.code, run.stderr).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
    const kept = readdirSync(world.cache);
    expect(kept.filter((entry) => /^(answers|files|metadata|pages)-/.test(entry))).toEqual([]);
  });
}
