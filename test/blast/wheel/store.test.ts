import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { parseVersion } from "../../../src/blast/pep/version.ts";
import { openStore, type WheelStore } from "../../../src/blast/wheel/store.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { createUnpackWorker } from "../../../src/workers.ts";
import { makeWheel, metadataOf, type WheelSpec, writeWheel } from "../../support/wheel-writer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

const DAY_MS = 24 * 3600 * 1000;

async function add(store: WheelStore, work: Workspace, spec: WheelSpec = {}) {
  const wheel = makeWheel(spec);
  const name = parsePackageName(spec.name ?? "demo");
  const path = writeWheel(work.path, wheel);
  return await store.add(path, { sha256: wheel.sha256, expected: { name } });
}

async function faultOf(attempt: Promise<unknown>): Promise<Fault> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Fault);
  return error as Fault;
}

describe("a wheel in the store", () => {
  test("tells what an installer has to know", async () => {
    using work = createWorkspace();
    const store = openStore(work.path);
    const files = { "a.py": "a", "Demo_Pkg-1.0rc1.data/scripts/run": "#!python\n", "p/b.so": "b" };
    const wheel = await add(store, work, {
      name: "Demo_Pkg",
      version: "1.0rc1",
      files,
      executable: ["p/b.so"],
      wheel: "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\nTag: py2-none-any\n",
    });
    expect(wheel).toMatchObject({
      name: "demo-pkg",
      distInfo: "Demo_Pkg-1.0rc1.dist-info",
      dataFolder: "Demo_Pkg-1.0rc1.data",
      rootIsPurelib: false,
      tags: ["py3-none-any", "py2-none-any"],
      warnings: [],
    });
    expect(wheel.version.toString()).toBe("1.0rc1");
    expect(wheel.folder).toBe(
      join(work.path, "wheels-v1", wheel.sha256.slice(0, 2), wheel.sha256, "tree"),
    );
    expect(
      wheel.files.slice(0, 3).map(({ path, size, executable }) => [path, size, executable]),
    ).toEqual([
      ["a.py", 1, false],
      ["Demo_Pkg-1.0rc1.data/scripts/run", 9, false],
      ["p/b.so", 1, true],
    ]);
    expect(wheel.files[0]?.sha256).toBe("ypeBEsobvcr6wjGzmiPcTaeG7_gUfE5yuYB3ha_uSLs");
    expect(wheel.folders).toEqual([
      "Demo_Pkg-1.0rc1.data",
      "Demo_Pkg-1.0rc1.data/scripts",
      "p",
      "Demo_Pkg-1.0rc1.dist-info",
    ]);
    expect(Buffer.from(wheel.pathBytes).toString().split("\0").slice(0, -1)).toEqual(
      wheel.files.map(({ path }) => path),
    );
    expect(wheel.metadataText()).toBe(metadataOf("Demo_Pkg", "1.0rc1"));
    expect(wheel.totalBytes).toBe(wheel.files.reduce((sum, { size }) => sum + size, 0));
  });

  test("is found again by its hash, and only by that", async () => {
    using work = createWorkspace();
    const { sha256 } = await add(openStore(work.path), work);
    const store = openStore(work.path);
    expect(store.get(sha256)?.name).toBe(parsePackageName("demo"));
    expect(store.get("0".repeat(64))).toBeUndefined();
    expect(() => store.get("../../etc")).toThrow("no SHA-256");
    expect(openStore(work.at("nowhere")).get(sha256)).toBeUndefined();
  });

  test("is not there without its manifest, and mended by being added again", async () => {
    using work = createWorkspace();
    const store = openStore(work.path);
    const wheel = await add(store, work);
    const manifest = join(wheel.folder, "../manifest");
    writeFileSync(manifest, "");
    expect(store.get(wheel.sha256)).toBeUndefined();
    expect(store.entries().map(({ name }) => name)).toEqual([undefined]);
    await add(store, work);
    expect(store.get(wheel.sha256)?.files.length).toBe(4);
  });

  test("gives its METADATA only as it was", async () => {
    using work = createWorkspace();
    const store = openStore(work.path);
    const wheel = await add(store, work);
    writeFileSync(join(wheel.folder, "demo-1.0.dist-info/METADATA"), "Name: evil\n");
    expect(() => wheel.metadataText()).toThrow("it has been changed in the store");
    rmSync(join(wheel.folder, "demo-1.0.dist-info/METADATA"));
    expect(() => wheel.metadataText()).toThrow("no such file");
  });

  test("notes its use, once a day", async () => {
    using work = createWorkspace();
    let now = Date.now();
    const store = openStore(work.path, { nowMs: () => now });
    const { sha256, folder } = await add(store, work);
    const used = () => Math.round(statSync(join(folder, "..")).mtimeMs);
    const first = used();
    now += DAY_MS - 60_000;
    store.get(sha256);
    expect(used()).toBe(first);
    now += 120_000;
    store.get(sha256);
    expect(used()).toBe(now);
    expect(store.entries()[0]?.lastUsedMs).toBeCloseTo(now, -1);
  });
});

describe("adding", () => {
  test("a wheel that is there is not read again, but has to be what was meant", async () => {
    using work = createWorkspace();
    const store = openStore(work.path);
    const { sha256 } = await add(store, work);
    const again = (name: string, version: string) =>
      store.add(work.at("gone.whl"), {
        sha256,
        expected: { name: parsePackageName(name), version: parseVersion(version) },
      });
    expect((await again("demo", "1.0.0")).sha256).toBe(sha256);
    const fault = await faultOf(again("other", "1.0"));
    expect([fault.code, fault.message]).toEqual([
      "E_INTEGRITY",
      'Cannot use "gone.whl": its METADATA says "demo 1.0", but expected was "other 1.0"',
    ]);
    expect((await faultOf(again("demo", "1.1"))).code).toBe("E_INTEGRITY");
  });

  test("in the place of a wheel that was changed", async () => {
    using work = createWorkspace();
    const store = openStore(work.path);
    const wheel = await add(store, work);
    writeFileSync(join(wheel.folder, "demo/__init__.py"), "answer = 43\n");
    const path = writeWheel(work.path, makeWheel());
    const options = { sha256: wheel.sha256, expected: { name: wheel.name } };
    await store.add(path, options);
    expect(await store.verify(wheel, { full: true })).not.toEqual([]);
    // Also while others use the store.
    using _hold = await store.hold();
    const mended = await store.add(path, { ...options, replace: true });
    expect(await store.verify(mended, { full: true })).toEqual([]);
    expect(readdirSync(join(store.folder, ".unpacking"))).toEqual([]);
  });

  test("by the archive's own name or by a given one", async () => {
    using work = createWorkspace();
    const store = openStore(work.path);
    const expected = { name: parsePackageName("demo") };
    const path = work.write("download.part", makeWheel().bytes);
    expect((await store.add(path, { expected })).version.toString()).toBe("1.0");
    const other = work.write("other.part", makeWheel({ stored: true }).bytes);
    const wrong = store.add(other, { expected, filename: "demo-2.0-py3-none-any.whl" });
    expect((await faultOf(wrong)).message).toContain('but its file name says "demo 2.0"');
    expect((await faultOf(store.add(work.at("gone.whl"), { expected }))).code).toBe("E_IO");
    const offered = metadataOf("demo", "1.0").replace("other", "another");
    const lying = store.add(other, { expected, metadataText: offered });
    expect((await faultOf(lying)).code).toBe("E_INTEGRITY");
  });

  test("many at once, in threads; the first failure is told when all are done", async () => {
    using work = createWorkspace();
    const store = openStore(work.path, { createWorker: createUnpackWorker, workers: 2 });
    await store.warm();
    const jobs = Array.from({ length: 12 }, (_, index) => {
      const name = `demo${index}`;
      const wheel = makeWheel({ name, files: { "a.bin": Buffer.alloc(index * 1000, name) } });
      const archivePath = writeWheel(work.path, wheel);
      return { archivePath, sha256: wheel.sha256, expected: { name: parsePackageName(name) } };
    });
    const wheels = await store.addMany(jobs);
    expect(wheels.map(({ sha256 }) => sha256)).toEqual(jobs.map(({ sha256 }) => sha256));
    for (const wheel of wheels) expect(await store.verify(wheel, { full: true })).toEqual([]);
    const wrong = { ...jobs[0]!, sha256: "1".repeat(64) };
    expect((await faultOf(store.addMany([wrong, ...jobs]))).code).toBe("E_INTEGRITY");
    await store.close();
  });

  test("of one wheel by several processes at once leaves one of it", async () => {
    using work = createWorkspace();
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [`d${index % 7}/${index}.py`, `x = ${index}\n`]),
    );
    const wheel = makeWheel({ files });
    const path = writeWheel(work.path, wheel);
    const module = join(import.meta.dir, "../../../src/blast/wheel/store.ts");
    const source = `const { openStore } = await import(${JSON.stringify(module)});
      const store = openStore(${JSON.stringify(work.path)});
      const options = { sha256: "${wheel.sha256}", expected: { name: "demo" } };
      console.log((await store.add(${JSON.stringify(path)}, options)).files.length);`;
    const children = Array.from({ length: 4 }, () =>
      Bun.spawn([process.execPath, "-e", source], { stdout: "pipe", stderr: "inherit" }),
    );
    const texts = await Promise.all(children.map((child) => new Response(child.stdout).text()));
    expect(texts).toEqual(Array(4).fill("303\n"));
    const store = openStore(work.path);
    expect(await store.verify(store.get(wheel.sha256)!, { full: true })).toEqual([]);
    expect(readdirSync(join(store.folder, ".unpacking"))).toEqual([]);
  });

  test("to a store that cannot be made is told", async () => {
    using work = createWorkspace();
    writeFileSync(work.at("store"), "");
    const fault = await faultOf(add(openStore(work.at("store")), work));
    expect([fault.code, fault.message]).toEqual([
      "E_IO",
      `Cannot write "${work.at("store/wheels-v1/.unpacking")}": not a folder`,
    ]);
  });
});

describe("cleaning", () => {
  async function three(work: Workspace, now: () => number) {
    const store = openStore(work.path, { nowMs: now });
    const wheels = [];
    for (const [index, name] of ["old", "middle", "young"].entries()) {
      const wheel = await add(store, work, { name, files: { "a.bin": Buffer.alloc(100_000) } });
      const seconds = (now() - (3 - index) * DAY_MS) / 1000;
      utimesSync(join(wheel.folder, ".."), seconds, seconds);
      wheels.push(wheel);
    }
    return { store, wheels };
  }

  test("lists every wheel with its size on the disk", async () => {
    using work = createWorkspace();
    const { store } = await three(work, Date.now);
    const entries = store.entries().sort((a, b) => a.lastUsedMs - b.lastUsedMs);
    expect(entries.map(({ name, version }) => `${name} ${version}`)).toEqual([
      "old 1.0",
      "middle 1.0",
      "young 1.0",
    ]);
    for (const { diskBytes } of entries) expect(diskBytes).toBe(102_400 + 3 * 4096);
    expect(openStore(work.at("nowhere")).entries()).toEqual([]);
  });

  test("removes the longest unused until the rest fits, what is damaged always", async () => {
    using work = createWorkspace();
    const { store, wheels } = await three(work, Date.now);
    mkdirSync(join(store.folder, ".unpacking/leftover"));
    const damaged = await add(store, work, { name: "damaged" });
    writeFileSync(join(damaged.folder, "../manifest"), "");
    const removed = await store.trim({ diskBytesMax: 250_000 });
    expect(removed.map(({ name }) => name).sort()).toEqual(["old", undefined]);
    expect(store.get(wheels[0]!.sha256)).toBeUndefined();
    expect(store.get(wheels[2]!.sha256)?.name).toBe(parsePackageName("young"));
    expect(readdirSync(join(store.folder, ".unpacking"))).toEqual([]);
    expect(await store.trim({ diskBytesMax: 250_000 })).toEqual([]);
    expect((await store.trim({ diskBytesMax: 0 })).length).toBe(2);
    expect(store.entries()).toEqual([]);
  });

  test("removes one, and nothing while somebody uses the store", async () => {
    using work = createWorkspace();
    const { store, wheels } = await three(work, Date.now);
    {
      using _hold = await store.hold();
      expect((await faultOf(store.remove(wheels[0]!.sha256))).code).toBe("E_LOCKED");
      expect((await faultOf(store.trim({ diskBytesMax: 0 }))).code).toBe("E_LOCKED");
    }
    await store.remove(wheels[0]!.sha256);
    await store.remove(wheels[0]!.sha256);
    expect(store.entries().length).toBe(2);
  });

  test("a store that may not be written is still read", async () => {
    using work = createWorkspace();
    const { store, wheels } = await three(work, Date.now);
    chmodSync(store.folder, 0o555);
    try {
      expect(store.get(wheels[0]!.sha256)?.files.length).toBe(4);
    } finally {
      chmodSync(store.folder, 0o755);
    }
  });
});
