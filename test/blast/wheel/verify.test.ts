import { describe, expect, test } from "bun:test";
import {
  appendFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { openStore } from "../../../src/blast/wheel/store.ts";
import { makeWheel, writeWheel } from "../../support/wheel-writer.ts";
import { createWorkspace } from "../../support/workspace.ts";

const files = { "a.py": "a = 1\n", "b/c.py": "c = 1\n", "b/d/e.bin": Buffer.alloc(2_000_000, 1) };

async function stored() {
  const work = createWorkspace();
  const store = openStore(work.path);
  const path = writeWheel(work.path, makeWheel({ files }));
  const wheel = await store.add(path, { expected: { name: parsePackageName("demo") } });
  return {
    wheel,
    compare: (full: boolean) => store.verify(wheel, { full }),
    store,
    at: (path: string) => join(wheel.folder, path),
    [Symbol.dispose]: () => work[Symbol.dispose](),
  };
}

test("what was unpacked is as it was, also with links from environments", async () => {
  using demo = await stored();
  linkSync(demo.at("a.py"), demo.at("../linked"));
  expect(await demo.compare(false)).toEqual([]);
  expect(await demo.compare(true)).toEqual([]);
});

describe("by size and time", () => {
  const changes: Record<string, [(at: (path: string) => string) => void, string]> = {
    "a longer file": [(at) => appendFileSync(at("a.py"), "x"), "changed"],
    "other content of the same size": [(at) => writeFileSync(at("a.py"), "a = 2\n"), "changed"],
    "no file": [(at) => rmSync(at("a.py")), "missing"],
    "a folder in its place": [
      (at) => {
        rmSync(at("a.py"));
        mkdirSync(at("a.py"));
      },
      "changed",
    ],
    "a link in its place": [
      (at) => {
        renameSync(at("a.py"), at("elsewhere"));
        symlinkSync("elsewhere", at("a.py"));
      },
      "changed",
    ],
  };
  for (const [name, [change, kind]] of Object.entries(changes)) {
    test(name, async () => {
      using demo = await stored();
      change(demo.at);
      const found = [{ path: "a.py", kind: kind as "changed" }];
      expect(await demo.compare(false)).toEqual(found);
      expect(await demo.compare(true)).toEqual(found);
    });
  }

  test("a missing folder, and a missing tree", async () => {
    using demo = await stored();
    rmSync(demo.at("b"), { recursive: true });
    const lost = ["b/c.py", "b/d/e.bin"].map((path) => ({ path, kind: "missing" as const }));
    expect(await demo.compare(false)).toEqual(lost);
    expect(await demo.compare(true)).toEqual(lost);
    rmSync(demo.wheel.folder, { recursive: true });
    expect((await demo.compare(false)).length).toBe(6);
    rmSync(demo.at("../manifest"));
    expect((await demo.compare(false)).length).toBe(6);
  });
});

test("content tells what size and time hide", async () => {
  using demo = await stored();
  const before = lstatSync(demo.at("a.py"), { bigint: true });
  writeFileSync(demo.at("a.py"), "a = 2\n");
  utimesSync(demo.at("a.py"), Number(before.atimeNs) / 1e9, Number(before.mtimeNs) / 1e9);
  expect(await demo.compare(true)).toEqual([{ path: "a.py", kind: "changed" }]);
});
