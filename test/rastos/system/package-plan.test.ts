import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { dependencyOf, satisfies } from "../../../src/rastos/package/dependency.ts";
import type { PackageRecord } from "../../../src/rastos/package/types.ts";
import {
  isEmptyPackagePlan,
  type PackagePlan,
  planPackages,
} from "../../../src/rastos/system/package-plan.ts";
import { systemSchema } from "../../../src/rastos/system/schema.ts";
import type { SystemConfig } from "../../../src/rastos/system/types.ts";

function declare(packages: object, kernel: object = {}): SystemConfig {
  return systemSchema.parse({ packages, kernel });
}

function record(name: string, more: Partial<PackageRecord> = {}): PackageRecord {
  return {
    name,
    version: "1.0-1",
    description: "",
    repository: "local",
    installedBytes: 1,
    dependencies: [],
    provides: [],
    groups: [],
    reason: "explicit",
    ...more,
  };
}

const NO_GROUPS = new Map<string, readonly string[]>();

function plan(
  installed: readonly PackageRecord[],
  config: SystemConfig,
  previous?: SystemConfig,
  groups: ReadonlyMap<string, readonly string[]> = NO_GROUPS,
): PackagePlan {
  const available = [...groups].flatMap(([group, names]) =>
    names.map((name) => record(name, { groups: [group], repository: "test" })),
  );
  return planPackages({ installed, previous, available }, config);
}

describe("what is missing is added", () => {
  test("by name, bound, group and kernel, each once", () => {
    const config = declare(
      { official: ["vim", "nginx>=2", "nginx", "old"], groups: ["web"], aur: ["paru#0123456"] },
      { package: "linux" },
    );
    const groups = new Map([["web", ["nginx", "php"]]]);
    const installed = [record("old"), record("nginx")];
    const { add, addAur } = plan(installed, config, undefined, groups);
    expect(add).toEqual(["vim", "nginx>=2", "php", "linux"]);
    expect(addAur).toEqual(["paru#0123456"]);
  });

  test("not where something that is there provides it", () => {
    const installed = [record("busybox", { provides: ["sh", "init=2"] })];
    const { add, undeclared } = plan(installed, declare({ official: ["sh", "init>=2"] }));
    expect(add).toEqual([]);
    expect(undeclared).toEqual([]);
    expect(plan(installed, declare({ official: ["init>=3"] })).add).toEqual(["init>=3"]);
  });

  test("a group that nobody knows yet is asked for by its name", () => {
    expect(plan([], declare({ groups: ["web"] })).add).toEqual(["web"]);
  });

  test("what is there for the sake of others is marked", () => {
    const installed = [record("lib", { reason: "dependency" })];
    expect(plan(installed, declare({ official: ["lib"] })).markExplicit).toEqual(["lib"]);
  });
});

describe("what is declared no more", () => {
  const before = declare({ official: ["vim", "lib"] });
  const installed = [
    record("vim", { dependencies: ["runtime"] }),
    record("runtime", { reason: "dependency" }),
    record("lib"),
    record("tool", { dependencies: ["lib>=1"] }),
  ];

  test("goes, unless something else needs it; what somebody installed stays", () => {
    const found = plan(installed, declare({}), before);
    expect(found.remove).toEqual(["vim", "runtime"]);
    expect(found.markDependency).toEqual(["lib"]);
    expect(found.undeclared).toEqual(["tool"]);
    expect(found.notes).toEqual(['"lib" stays: something that is wanted needs it']);
  });

  test("goes with what nobody has declared, if the file says so", () => {
    const found = plan(installed, declare({ undeclared: "remove" }), before);
    expect(found.remove).toEqual(["vim", "lib", "tool", "runtime"]);
    expect(found.undeclared).toEqual([]);
  });

  test("stays without a former declaration", () => {
    expect(plan(installed, declare({})).remove).toEqual([]);
  });

  test("also as a member of a group", () => {
    const groups = new Map([["web", ["vim"]]]);
    const found = plan(installed, declare({}), declare({ groups: ["web"] }), groups);
    expect(found.remove).toEqual(["vim", "runtime"]);
  });
});

test("what is ignored is neither added nor removed nor marked", () => {
  const installed = [
    record("vim"),
    record("gui", { groups: ["desktop"] }),
    record("lib", { reason: "dependency" }),
  ];
  const ignored = ["vim", "desktop", "new", "lib"];
  const config = declare({ official: ["new", "lib"], ignored, undeclared: "remove" });
  expect(isEmptyPackagePlan(plan(installed, config, declare({ official: ["vim"] })))).toBe(true);
});

const NAMES = ["a", "b", "c", "d", "e", "f", "g"];
const world = fc.record(
  Object.fromEntries(
    NAMES.map((name) => [name, fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 })]),
  ),
);
const declaration = fc
  .record({
    official: fc.uniqueArray(fc.constantFrom(...NAMES)),
    groups: fc.subarray(["x", "y"]),
    ignored: fc.subarray(["a", "b"]),
    undeclared: fc.constantFrom("keep", "remove"),
  })
  .map((packages) => declare(packages));
const MEMBERS = new Map([
  ["x", ["a", "c"]],
  ["y", ["d"]],
]);

/** A package manager of a few lines: dependencies come along, orphans go with what is removed. */
class Machine {
  readonly #world: Readonly<Record<string, readonly string[]>>;
  readonly packages = new Map<string, PackageRecord>();

  constructor(world: Readonly<Record<string, readonly string[]>>) {
    this.#world = world;
  }

  install(name: string, reason: "explicit" | "dependency"): void {
    if (this.packages.has(name)) return;
    const dependencies = this.#world[name] ?? [];
    this.packages.set(name, record(name, { dependencies, reason }));
    for (const other of dependencies) this.install(other, "dependency");
  }

  carryOut({ add, remove, markExplicit, markDependency }: PackagePlan): void {
    for (const name of add) this.install(name, "explicit");
    for (const name of [...add, ...markExplicit]) this.#mark(name, "explicit");
    for (const name of markDependency) this.#mark(name, "dependency");
    for (const name of remove) {
      const needs = [...this.packages.values()].filter(
        (one) => !remove.includes(one.name) && one.dependencies.includes(name),
      );
      // Orphans that only each other needs may stand in the way: they go with it (-s).
      expect(needs.filter(({ reason }) => reason === "explicit")).toEqual([]);
      this.packages.delete(name);
    }
    const roots = [...this.packages.values()].filter(({ reason }) => reason === "explicit");
    const needed = new Set<string>();
    const visit = (one: PackageRecord | undefined): void => {
      if (one === undefined || needed.has(one.name)) return;
      needed.add(one.name);
      for (const text of one.dependencies) visit(this.packages.get(text));
    };
    for (const root of roots) visit(root);
    for (const name of [...this.packages.keys()]) if (!needed.has(name)) this.packages.delete(name);
  }

  #mark(name: string, reason: "explicit" | "dependency"): void {
    const one = this.packages.get(name);
    expect(one).toBeDefined();
    if (one !== undefined) this.packages.set(name, { ...one, reason });
  }

  get list(): PackageRecord[] {
    return [...this.packages.values()];
  }
}

test("carried out, nothing is left to do: all that is declared is there, nothing broken", () => {
  fc.assert(
    fc.property(
      world,
      fc.uniqueArray(fc.constantFrom(...NAMES)),
      fc.array(declaration, { minLength: 1, maxLength: 4 }),
      (universe, byHand, declarations) => {
        const machine = new Machine(universe);
        const available = NAMES.map((name) => {
          const groups = [...MEMBERS].filter(([, names]) => names.includes(name));
          const dependencies = universe[name] ?? [];
          return record(name, { dependencies, groups: groups.map(([group]) => group) });
        });
        for (const name of byHand) machine.install(name, "explicit");
        let previous: SystemConfig | undefined;
        for (const config of declarations) {
          const situation = { previous, available };
          machine.carryOut(planPackages({ ...situation, installed: machine.list }, config));
          const after = { installed: machine.list, previous: config, available };
          expect(isEmptyPackagePlan(planPackages(after, config))).toBe(true);
          const { official, groups, ignored } = config.packages;
          const members = groups.flatMap((group) => MEMBERS.get(group) ?? []);
          for (const name of [...official, ...members]) {
            if (ignored.includes(name)) continue;
            expect(machine.packages.get(name)?.reason).toBe("explicit");
          }
          for (const one of machine.list) {
            for (const text of one.dependencies) {
              const wish = dependencyOf(text);
              expect(machine.list.some((other) => satisfies(other, wish))).toBe(true);
            }
          }
          previous = config;
        }
      },
    ),
    { numRuns: 500 },
  );
});
