import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { discard, Staging, sweepStaging } from "../../../src/blast/wheel/staging.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("a folder gets its final name as a whole, or goes", () => {
  using work = createWorkspace();
  const target = work.at("store/ab/abc");
  {
    using staging = Staging.open(work.at("store"));
    staging.write("manifest", Buffer.from("text"));
    expect(existsSync(target)).toBeFalse();
    expect(staging.publish(target)).toBeTrue();
  }
  expect(readdirSync(target).sort()).toEqual(["manifest", "tree"]);
  expect(readFileSync(join(target, "manifest"), "utf8")).toBe("text");
  {
    using second = Staging.open(work.at("store"));
    second.write("manifest", Buffer.from("other"));
    expect(second.publish(target)).toBeFalse();
  }
  expect(readFileSync(join(target, "manifest"), "utf8")).toBe("text");
  {
    using third = Staging.open(work.at("store"));
    third.write("manifest", Buffer.from("third"));
    third.replace(work.at("store"), target);
  }
  expect(readFileSync(join(target, "manifest"), "utf8")).toBe("third");
  expect(readdirSync(work.at("store/.unpacking"))).toEqual([]);
});

test("a sweep takes what nobody holds, and leaves what somebody is at", () => {
  using work = createWorkspace();
  const store = work.at("store");
  expect(sweepStaging(store, Date.now())).toBe(0);
  using staging = Staging.open(store);
  mkdirSync(join(store, ".unpacking/leftover/tree"), { recursive: true });
  writeFileSync(join(store, ".unpacking/leftover/tree/file"), "x");
  writeFileSync(join(store, ".unpacking/no-folder"), "x");
  expect(sweepStaging(store, Date.now())).toBe(1);
  expect(readdirSync(join(store, ".unpacking")).length).toBe(2);
  expect(existsSync(staging.path)).toBeTrue();
});

test("where a file system has no locks, age decides", async () => {
  using work = createWorkspace();
  const store = work.at("store");
  for (const name of ["old", "new"])
    mkdirSync(join(store, ".unpacking", name), { recursive: true });
  const now = Date.now();
  utimesSync(join(store, ".unpacking/old"), now / 1000 - 90_000, now / 1000 - 90_000);
  const module = join(import.meta.dir, "../../../src/blast/wheel/staging.ts");
  const source = `const { sweepStaging } = await import(${JSON.stringify(module)});
    console.log(sweepStaging(${JSON.stringify(store)}, ${now}));`;
  const child = Bun.spawnSync([process.execPath, "-e", source], {
    env: { ...process.env, TRIAD_FAULTS: "flock:EOPNOTSUPP@1+" },
  });
  expect(child.stderr.toString()).toBe("");
  expect(child.stdout.toString()).toBe("1\n");
  expect(readdirSync(join(store, ".unpacking"))).toEqual(["new"]);
});

test("discarding what is not there is no failure", () => {
  using work = createWorkspace();
  discard(work.at("store"), work.at("store/ab/abc"));
  expect(readdirSync(work.at("store/.unpacking"))).toEqual([]);
});
