import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { openPackageManager } from "../../../src/rastos/package/open.ts";
import { makeRepository, type PackageSpec } from "../../support/pacman-repository.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

const missing = firstReason(needsRoot(), needsProgram("pacman"));
const kinds = ["libalpm", "pacman"] as const;

for (const kind of kinds) {
  describeUnless(missing)(`the package manager (${kind})`, () => {
    test("fetches, finds, plans, installs, upgrades and removes", async () => {
      using world = makeWorld();
      const manager = world.manager(kind, [
        { name: "app", version: "1-1", depends: ["library>=1"], files: { "usr/bin/app": "app" } },
        { name: "library", version: "1.5-1", files: { "usr/lib/lib": "lib", "usr/é": "x" } },
      ]);
      await manager.sync();
      expect((await manager.search(["lib"])).map(({ name }) => name)).toEqual(["library"]);
      const plan = await manager.plan({ install: ["app"] });
      expect(plan.changes.map(({ kind, name, newVersion }) => [kind, name, newVersion])).toEqual([
        ["install", "app", "1-1"],
        ["install", "library", "1.5-1"],
      ]);
      expect(existsSync(`${world.root}/usr`)).toBe(false);
      expect(readdirSync(`${world.root}/var/lib/pacman`).sort()).toEqual(["local", "sync"]);
      const events: string[] = [];
      const done = await manager.run({ install: ["app"] }, ({ kind }) => events.push(kind));
      expect(done).toEqual(plan);
      expect(events).toContain("change");
      expect(readFileSync(`${world.root}/usr/bin/app`, "utf8")).toBe("app");
      expect(readFileSync(`${world.root}/usr/é`, "utf8")).toBe("x");
      expect((await manager.installed()).map(({ name, reason }) => [name, reason])).toEqual([
        ["app", "explicit"],
        ["library", "dependency"],
      ]);
      await manager.run({ remove: ["app"], recursive: true });
      expect(await manager.installed()).toEqual([]);
      expect(existsSync(`${world.root}/usr`)).toBe(false);
      expect(existsSync(`${world.root}/var/lib/pacman/db.lck`)).toBe(false);
    });

    test("says what is missing and who needs it", async () => {
      using world = makeWorld();
      const manager = world.manager(kind, [{ name: "a", version: "1-1", depends: ["gone>=2"] }]);
      await manager.sync();
      const fault = await faultOf(manager.run({ install: ["a"] }));
      expect(fault.code).toBe("E_UNSATISFIABLE");
      expect(fault.message).toBe(
        'Cannot change packages: "a" needs "gone>=2", which nothing provides',
      );
    });
  });
}

function makeWorld() {
  const work = createWorkspace();
  const root = work.folder("root");
  return {
    root,
    manager(kind: "libalpm" | "pacman", specs: readonly PackageSpec[]) {
      const { name, servers } = makeRepository(work.at("repository"), specs);
      const repositories = [{ name, servers, signatureLevel: "Never" }];
      return openPackageManager({ root, repositories }, { kind });
    },
    [Symbol.dispose]: () => work[Symbol.dispose](),
  };
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("Nothing failed");
}

describe("without anything", () => {
  test("a root that is not there is said", async () => {
    const manager = openPackageManager({ root: "/no/such/root", repositories: [] });
    expect((await faultOf(manager.installed())).code).toBe("E_NOT_FOUND");
  });
});
