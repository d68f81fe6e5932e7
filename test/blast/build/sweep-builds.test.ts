import { expect, test } from "bun:test";
import { existsSync, utimesSync } from "node:fs";
import { sweepBuilds } from "../../../src/blast/build/sweep-builds.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("what was not used for long goes, of every kind; the rest stays", () => {
  using work = createWorkspace();
  const nowMs = Date.now();
  const days = (count: number) => count * 24 * 3600 * 1000;
  const make = (path: string, file: string, ageDays: number) => {
    work.write(`${path}/${file}`, "");
    const seconds = (nowMs - days(ageDays)) / 1000;
    utimesSync(work.at(path, file), seconds, seconds);
    utimesSync(work.at(path), seconds, seconds);
  };
  for (const [name, ageDays] of [
    ["old", 40],
    ["new", 20],
  ] as const) {
    make(`builds-v1/environments/${name}`, ".complete", ageDays);
    make(`builds-v1/wheels/${name}`, "a.whl", ageDays);
    make("builds-v1/logs", `${name}.log`, ageDays);
    make(`git-v1/${name}`, "HEAD", 100);
    make("git-v1", `${name}.lock`, ageDays);
  }
  // Never finished, by a run that was killed.
  make("builds-v1/environments/half", "pyvenv.cfg", 40);
  expect(sweepBuilds(work.path, { nowMs, unusedMs: days(30) })).toBe(5);
  for (const kind of ["builds-v1/environments", "builds-v1/wheels", "git-v1"]) {
    expect([kind, existsSync(work.at(kind, "old")), existsSync(work.at(kind, "new"))]).toEqual([
      kind,
      false,
      true,
    ]);
  }
  expect(existsSync(work.at("builds-v1/logs/old.log"))).toBe(false);
  expect(existsSync(work.at("builds-v1/logs/new.log"))).toBe(true);
  expect(existsSync(work.at("git-v1/old.lock"))).toBe(true);
  expect(sweepBuilds(work.at("nowhere"), { nowMs, unusedMs: 0 })).toBe(0);
});
