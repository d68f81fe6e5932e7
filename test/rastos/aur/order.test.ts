import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { AurGraph, ProviderIndex } from "../../../src/rastos/aur/order.ts";
import type { SourceBase } from "../../../src/rastos/aur/srcinfo.ts";

interface Draft {
  readonly version?: string;
  readonly makedepends?: readonly string[];
  readonly checkdepends?: readonly string[];
  /** Packages with what they depend on; `name=version` in provides. */
  readonly packages?: Readonly<Record<string, readonly string[]>>;
  readonly provides?: readonly string[];
}

function baseOf(base: string, draft: Draft = {}): SourceBase {
  return {
    base,
    version: draft.version ?? "1-1",
    architectures: ["any"],
    makedepends: draft.makedepends ?? [],
    checkdepends: draft.checkdepends ?? [],
    validPgpKeys: [],
    sources: [],
    packages: Object.entries(draft.packages ?? { [base]: [] }).map(([name, depends]) => ({
      name,
      description: "",
      depends,
      optdepends: [],
      provides: draft.provides ?? [],
      conflicts: [],
      replaces: [],
      groups: [],
    })),
  };
}

const OFFICIAL = new ProviderIndex([
  { name: "glibc", version: "2.40-1", provides: ["libc.so=6"] },
  { name: "java", version: "21-1", provides: ["runtime=21"] },
]);

function graphOf(...bases: SourceBase[]): AurGraph {
  return new AurGraph(bases, OFFICIAL, true);
}

describe("the order of building", () => {
  test("what is needed comes first; what runs of it is there too", () => {
    const steps = graphOf(
      baseOf("app", { packages: { app: ["lib>=1", "glibc"] }, makedepends: ["gen"] }),
      baseOf("gen", { packages: { gen: ["gen-runtime"] } }),
      baseOf("lib", { packages: { lib: ["libc.so=6"], "lib-extra": [] } }),
      baseOf("gen-runtime"),
    ).steps();
    expect(steps.map(({ base }) => base.base)).toEqual(["lib", "gen-runtime", "gen", "app"]);
    expect(steps.at(-1)).toMatchObject({
      official: ["glibc"],
      packages: ["lib", "gen", "gen-runtime"],
    });
    expect(steps[0]?.official).toEqual(["libc.so=6"]);
  });

  test("split packages that need each other are no circle", () => {
    const graph = graphOf(baseOf("a", { packages: { a: ["b"], b: ["a"] } }));
    expect(graph.steps()[0]).toMatchObject({ official: [], packages: [] });
    expect(graph.runtime(["a"])).toEqual(["a", "b"]);
  });

  test("a circle is named", () => {
    const graph = graphOf(
      baseOf("a", { makedepends: ["b"] }),
      baseOf("b", { makedepends: ["c"] }),
      baseOf("c", { makedepends: ["a"] }),
    );
    expect(() => graph.steps()).toThrow(/a -> b -> c -> a/);
  });

  test("versions count, and official packages go first unless the AUR's is named", () => {
    const old = graphOf(baseOf("app", { makedepends: ["lib>=2"] }), baseOf("lib"));
    expect(old.missing()).toEqual([{ base: "app", dependency: "lib>=2" }]);
    const stand = baseOf("my-java", { provides: ["runtime=21"] });
    const both = graphOf(baseOf("app", { makedepends: ["runtime", "my-java"] }), stand);
    expect(both.steps().at(-1)).toMatchObject({ official: ["runtime"], packages: ["my-java"] });
  });

  test("checkdepends count only where there are checks", () => {
    const base = baseOf("app", { checkdepends: ["gone"] });
    expect(graphOf(base).missing().length).toBe(1);
    expect(new AurGraph([base], OFFICIAL, false).missing()).toEqual([]);
  });
});

test("in any graph without circles everything comes after what it needs", () => {
  const edges = fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 30 });
  fc.assert(
    fc.property(edges, fc.boolean(), (pairs, areRuntime) => {
      const needs = (from: number): string[] =>
        pairs.flatMap(([a, b]) =>
          Math.max(a, b) === from && a !== b ? [`p${Math.min(a, b)}`] : [],
        );
      const bases = Array.from({ length: 10 }, (_, number) =>
        areRuntime
          ? baseOf(`p${number}`, { packages: { [`p${number}`]: needs(number) } })
          : baseOf(`p${number}`, { makedepends: needs(number) }),
      ).reverse();
      const done: string[] = [];
      const steps = graphOf(...bases).steps();
      for (const { base, packages } of steps) {
        for (const name of [...needs(Number(base.base.slice(1))), ...packages]) {
          expect(done).toContain(name);
        }
        done.push(base.base);
      }
      expect(done.toSorted()).toEqual(bases.map(({ base }) => base).sort());
    }),
  );
});
