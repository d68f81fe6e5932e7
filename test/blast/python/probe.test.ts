import { describe, expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { supportedTags } from "../../../src/blast/pep/tag.ts";
import { readElf } from "../../../src/blast/python/elf.ts";
import { listPythons } from "../../../src/blast/python/find.ts";
import { externallyManaged, Prober } from "../../../src/blast/python/probe.ts";
import { probeCachePath } from "../../../src/blast/python/probe-cache.ts";
import { fakePython, fakePythonScript } from "../../support/fake-python.ts";
import { needsOraclePython, oraclePython } from "../../support/python-tools.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

describe("against the packaging library", () => {
  testUnless(needsOraclePython())("markers and tags are the same", async () => {
    using work = createWorkspace();
    const python = oraclePython() ?? "";
    const code =
      "import json, packaging.markers, packaging.tags; print(json.dumps([" +
      "packaging.markers.default_environment(), [str(t) for t in packaging.tags.sys_tags()]]))";
    const [markers, tags] = JSON.parse(Bun.spawnSync([python, "-c", code]).stdout.toString()) as [
      unknown,
      string[],
    ];
    const prober = new Prober({ ...process.env, XDG_CACHE_HOME: work.path });
    const interpreter = await prober.require(python);
    expect(interpreter.markers).toEqual(markers as never);
    const ours = supportedTags(interpreter.tags);
    const priorities = tags.map((tag) => {
      const [name = "", abi = "", platform = ""] = tag.split("-");
      return ours.priority([{ python: name, abi, platform }]);
    });
    expect(priorities).toEqual(tags.map((_, index) => index));
  });
});

testUnless(needsProgram("python3"))("every Python of this machine answers", async () => {
  using work = createWorkspace();
  const environment = { ...process.env, XDG_CACHE_HOME: work.path };
  const listed = await listPythons({ environment, folder: work.path });
  expect(listed.length).toBeGreaterThan(0);
  for (const { interpreter } of listed) {
    const code = "import sys, sysconfig; print(sys.prefix, sysconfig.get_path('purelib'))";
    const ran = Bun.spawnSync([interpreter.path, "-I", "-c", code]);
    const { prefix, paths, markers } = interpreter;
    expect(ran.stdout.toString()).toBe(`${prefix} ${paths.purelib}\n`);
    expect(markers.platform_release).toBe(release());
    expect(interpreter.version).toStartWith(markers.python_version);
  }
});

test("the cache is private, and what is damaged in it is asked again", async () => {
  using work = createWorkspace();
  const python = fakePython(work, "base", { version: "3.12.1" });
  const environment = { HOME: work.path };
  const path = probeCachePath(environment);
  const ask = async (): Promise<number> => {
    const prober = new Prober(environment);
    await prober.require(python);
    prober.save();
    return prober.started;
  };
  expect([await ask(), await ask()]).toEqual([1, 0]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const text = readFileSync(path, "utf8");
  for (const damaged of ["", "{", text.slice(0, -40), text.replace("blast.pythons/1", "x")]) {
    work.write(path.slice(work.path.length + 1), damaged);
    expect([damaged.length, await ask(), await ask()]).toEqual([damaged.length, 1, 0]);
  }
});

test("one that fails is asked again where it is meant, though its file is the same", async () => {
  using work = createWorkspace();
  const fine = fakePythonScript({ version: "3.12.1" });
  const mended = work.at("base/bin/mended");
  const check = `[ -e '${mended}' ] || { echo no libpython >&2; exit 127; }\n`;
  const text = fine.replace("#!/bin/sh\n", `#!/bin/sh\n${check}`);
  const python = work.write("base/bin/python3", text, { mode: 0o755 });
  const environment = { HOME: work.path };
  const first = new Prober(environment);
  await expect(first.require(python)).rejects.toThrow("no libpython");
  await expect(first.require(python)).rejects.toThrow("no libpython");
  expect(first.started).toBe(1);
  first.save();
  writeFileSync(mended, "");
  const second = new Prober(environment);
  // A search goes on to the next one.
  expect(await second.probe(python)).toMatchObject({ problem: expect.stringContaining("no lib") });
  expect(second.started).toBe(0);
  expect((await second.require(python)).version).toBe("3.12.1");
});

test("what the system manages says so (PEP 668)", async () => {
  using work = createWorkspace();
  const python = fakePython(work, "base", { version: "3.12.1" });
  const prober = new Prober({ HOME: work.path });
  const interpreter = await prober.require(python);
  expect(externallyManaged(interpreter)).toBeUndefined();
  const marker = "base/lib/python3.12/EXTERNALLY-MANAGED";
  work.write(marker, "[externally-managed]\nError=Use apt.\n Or a venv.\n\n See the wiki.\nX=1\n");
  expect(externallyManaged(interpreter)).toBe("Use apt.\nOr a venv.\n\nSee the wiki.");
  work.write(marker, "[externally-managed]\n");
  expect(externallyManaged(interpreter)).toBe("it is managed by the system");
});

test("the header of an executable", () => {
  const own = readElf(process.execPath);
  const archs: Record<string, number> = { x64: 62, arm64: 183 };
  expect([own?.bits, own?.machine]).toEqual([64, archs[process.arch] ?? 0]);
  expect(own?.loader).toMatch(/^\/lib(64)?\/ld-/);
  expect(readElf(import.meta.path)).toBeUndefined();
});
