import { expect, test } from "bun:test";
import { readlinkSync, symlinkSync } from "node:fs";
import fc from "fast-check";
import { openPlace } from "../../../src/blit/admin/open-place.ts";
import { purge } from "../../../src/blit/admin/purge.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { openModuleBase } from "../../support/module-base.ts";
import { createWorkspace } from "../../support/workspace.ts";

const parts = ["a", "b", "..", ".", "", "in", "out", "absolute", "loop", "up", "file", "secret"];
const anyPath = fc
  .array(fc.constantFrom(...parts), { maxLength: 8 })
  .map((components) => components.join("/"));

/** A module with links of every kind, beside something that must not be reached. */
function dangerousModule(work: ReturnType<typeof createWorkspace>): string {
  work.write("secret/file", "s");
  work.write("module/a/b/file", "1");
  work.write("module/file", "2");
  for (const [link, target] of [
    ["in", "a/b"],
    ["a/in", "../a"],
    ["out", "../secret"],
    ["a/out", "../../secret"],
    ["absolute", work.at("secret")],
    ["loop", "loop"],
    ["up", ".."],
    ["a/up", "../.."],
  ] as const) {
    symlinkSync(target, work.at("module", link));
  }
  return work.at("module");
}

test("whatever path is asked for: it lies in the module, or there is a fault", () => {
  using work = createWorkspace();
  const module = dangerousModule(work);
  using base = openModuleBase(module);
  const reached = new Set<string>();
  fc.assert(
    fc.property(anyPath, (path) => {
      try {
        using place = openPlace(base, path, "list");
        const real = readlinkSync(`/proc/self/fd/${place.fd}`);
        reached.add(real);
        expect(`${real}/`).toStartWith(`${module}/`);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        expect(error.code).toMatch(/^E_(NOT_FOUND|REFUSED|IO)$/);
      }
    }),
    { numRuns: 3000, examples: [["in/file"], ["a/in/b/file"]] },
  );
  // The links that stay inside keep working.
  expect(reached).toContain(`${module}/a/b/file`);
});

test("whatever paths are to be removed: nothing outside of the module counts", () => {
  using work = createWorkspace();
  const module = dangerousModule(work);
  using base = openModuleBase(module);
  fc.assert(
    fc.property(fc.array(anyPath, { minLength: 1, maxLength: 3 }), (paths) => {
      try {
        const query = { paths, isRecursive: true, isDryRun: true, agreedEntries: undefined };
        const last = [...purge(base, query)].at(-1);
        // a with b, file, in, out and up is the largest thing that can be named.
        expect(last?.entries).toBeLessThanOrEqual(paths.length * 6);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
