import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { openAlpm } from "../../../ffi/alpm/library.ts";
import { dependencyOf, satisfies } from "../../../src/rastos/package/dependency.ts";
import { makePackageWorld } from "../../support/package-world.ts";
import { testUnless } from "../../support/skip.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

test("dependencies are taken apart", () => {
  expect(dependencyOf("a")).toEqual({ name: "a", operator: "", version: "" });
  expect(dependencyOf("a>=1:2-3")).toEqual({ name: "a", operator: ">=", version: "1:2-3" });
  expect(dependencyOf("a<2: for more: yes")).toEqual({ name: "a", operator: "<", version: "2" });
});

test("what fulfils a dependency", () => {
  const record = { name: "a", version: "2-1", provides: ["v=3", "bare"] };
  const fulfils = (text: string) => satisfies(record, dependencyOf(text));
  for (const text of ["a", "a=2", "a>=2-1", "a<3", "v", "v>2", "v=3", "bare"]) {
    expect([text, fulfils(text)]).toEqual([text, true]);
  }
  for (const text of ["b", "a>2", "a=2-2", "v<3", "bare=1", "bare>=0"]) {
    expect([text, fulfils(text)]).toEqual([text, false]);
  }
});

testUnless(openAlpm() === undefined ? "needs libalpm" : undefined)(
  "as libalpm finds it",
  async () => {
    const version = fc.constantFrom("1-1", "2-1", "1:1-1", "1.0rc1-2");
    const operator = fc.constantFrom("", "=1", ">=2", "<2", ">1-1", "<=1:1-1", "=1.0rc1");
    const provision = fc.constantFrom("v", "v=1", "v=2-1", "v=1:1");
    const cases = fc.sample(fc.tuple(version, fc.array(provision, { maxLength: 2 })), {
      numRuns: 12,
      seed: 3,
    });
    const wishes = fc.sample(fc.tuple(fc.constantFrom("p", "v"), operator), {
      numRuns: 12,
      seed: 4,
    });
    for (const [own, provides] of cases) {
      using world = makePackageWorld();
      world.publish([{ name: "p", version: own, provides }]);
      const manager = world.manager("libalpm");
      await manager.sync();
      for (const [name, rest] of wishes) {
        const wish = `${name}${rest}`;
        const plan = manager.plan({ install: [wish] });
        const isFound = await plan.then(
          () => true,
          () => false,
        );
        const record = { name: "p", version: own, provides };
        const ours = satisfies(record, dependencyOf(wish));
        expect({ wish, own, provides, isFound }).toEqual({ wish, own, provides, isFound: ours });
      }
    }
  },
);
