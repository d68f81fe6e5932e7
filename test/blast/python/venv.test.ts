import { describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { baseProblem } from "../../../src/blast/python/base-problem.ts";
import { findPython, listPythons } from "../../../src/blast/python/find.ts";
import type { Interpreter } from "../../../src/blast/python/probe.ts";
import { Prober } from "../../../src/blast/python/probe.ts";
import { basePathOf, checkVenvFolder, createVenv } from "../../../src/blast/python/venv.ts";
import { readVenvConfig } from "../../../src/blast/python/venv-config.ts";
import { fakePython } from "../../support/fake-python.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** The Pythons of this machine, asked with a cache of the test's own. */
async function realPythons(work: Workspace): Promise<Interpreter[]> {
  const environment = { ...process.env, XDG_CACHE_HOME: work.at("cache") };
  const listed = await listPythons({ environment, folder: work.path });
  return listed.map(({ interpreter }) => interpreter);
}

async function made(work: Workspace, version = "3.12.1"): Promise<Interpreter> {
  const python = fakePython(work, `base-${version}`, { version });
  return findPython(python, { environment: { HOME: work.path }, folder: work.path });
}

const ODD = `a "b" 'c' $(id) \`id\` \\d !e %f; g`;

describe("a real Python finds itself in it", () => {
  testUnless(needsProgram("python3"))("every one of this machine", async () => {
    using work = createWorkspace();
    const pythons = await realPythons(work);
    expect(pythons.length).toBeGreaterThan(0);
    for (const [index, interpreter] of pythons.entries()) {
      const folder = work.at(ODD, `${index}`, ".venv");
      createVenv(folder, interpreter, {});
      const code =
        "import sys, sysconfig, json; print(json.dumps([sys.prefix, sys.base_prefix, " +
        "sysconfig.get_path('purelib'), sys.flags.no_site, sysconfig.get_path('platlib')]))";
      const ran = Bun.spawnSync([join(folder, "bin/python"), "-c", code], { env: {} });
      const { venvPaths, basePrefix } = interpreter;
      expect([ran.stderr.toString(), JSON.parse(ran.stdout.toString())]).toEqual([
        "",
        [folder, basePrefix, join(folder, venvPaths.purelib), 0, join(folder, venvPaths.platlib)],
      ]);
    }
  });

  testUnless(needsProgram("python3"))("with the layout of python -m venv", async () => {
    using work = createWorkspace();
    const [interpreter] = (await realPythons(work)).filter(({ version }) => /^3\.1/.test(version));
    if (interpreter === undefined) throw new Error("no Python 3.10 or newer");
    const ours = work.at("ours");
    const theirs = work.at("theirs");
    createVenv(ours, interpreter, {});
    const command = [interpreter.path, "-m", "venv", "--without-pip", theirs];
    expect(Bun.spawnSync(command).exitCode).toBe(0);
    for (const name of readdirSync(theirs, { recursive: true })) {
      // Empty; who needs it makes it.
      if (!String(name).startsWith("include"))
        expect(readdirSync(ours, { recursive: true })).toContain(name);
    }
    const config = readVenvConfig(ours);
    for (const key of ["home", "include-system-site-packages"]) {
      expect([key, config?.get(key)]).toEqual([key, readVenvConfig(theirs)?.get(key)]);
    }
  });

  testUnless(needsProgram("python3"))("system-site-packages are seen when asked for", async () => {
    using work = createWorkspace();
    const [interpreter] = await realPythons(work);
    if (interpreter === undefined) throw new Error("no Python");
    createVenv(work.at("env"), interpreter, { systemSitePackages: true });
    const code = "import sys; print('\\n'.join(p for p in sys.path if 'packages' in p))";
    const pathOf = (python: string): string[] =>
      Bun.spawnSync([python, "-I", "-c", code]).stdout.toString().trim().split("\n");
    const own = work.at("env", interpreter.venvPaths.purelib);
    expect(pathOf(work.at("env/bin/python"))).toEqual([own, ...pathOf(interpreter.path)]);
  });
});

test("pyvenv.cfg, links and marks", async () => {
  using work = createWorkspace();
  const interpreter = await made(work);
  createVenv(work.at("my project/.venv"), interpreter, {});
  const venv = work.at("my project/.venv");
  expect(Object.fromEntries(readVenvConfig(venv) ?? [])).toMatchObject({
    home: work.at("base-3.12.1/bin"),
    implementation: "CPython",
    version_info: "3.12.1",
    "include-system-site-packages": "false",
    prompt: "my project",
  });
  expect(readlinkSync(join(venv, "bin/python"))).toBe(interpreter.path);
  expect(readlinkSync(join(venv, "bin/python3"))).toBe("python");
  expect(readlinkSync(join(venv, "bin/python3.12"))).toBe("python");
  expect(readFileSync(join(venv, ".gitignore"), "utf8")).toBe("*\n");
  expect(readFileSync(join(venv, "CACHEDIR.TAG"), "utf8")).toStartWith(
    "Signature: 8a477f597d28d172789f06886806bc55\n",
  );
  expect(existsSync(join(venv, "lib/python3.12/site-packages"))).toBe(true);
});

describe("what is in the way", () => {
  test("is refused, unless it is an environment that may be replaced", async () => {
    using work = createWorkspace();
    const interpreter = await made(work);
    const venv = work.at(".venv");
    work.write("full/file", "mine");
    work.write("file", "mine");
    expect(() => createVenv(work.at("full"), interpreter, { clear: true })).toThrow(
      "is no environ",
    );
    expect(() => createVenv(work.at("file"), interpreter, { clear: true })).toThrow("a file is in");
    createVenv(venv, interpreter, {});
    work.write(".venv/lib/python3.12/site-packages/x.py", "");
    expect(() => createVenv(venv, interpreter, {})).toThrow("there is one already");
    createVenv(venv, await made(work, "3.13.2"), { clear: true });
    expect(readdirSync(join(venv, "lib"))).toEqual(["python3.13"]);
    expect(readFileSync(work.at("full/file"), "utf8")).toBe("mine");
  });

  test("an empty folder and one left by a crash are finished", async () => {
    using work = createWorkspace();
    const interpreter = await made(work);
    const venv = work.folder(".venv");
    createVenv(venv, interpreter, {});
    const whole = readdirSync(venv, { recursive: true }).sort();
    // As a crash would leave it: the config is the last thing written.
    rmSync(join(venv, "pyvenv.cfg"));
    writeFileSync(join(venv, "bin/activate"), "half");
    rmSync(join(venv, "bin/python"));
    symlinkSync("/nowhere", join(venv, "bin/python"));
    createVenv(venv, interpreter, {});
    expect(readdirSync(venv, { recursive: true }).sort()).toEqual(whole);
    expect(readlinkSync(join(venv, "bin/python"))).toBe(interpreter.path);
    expect(readFileSync(join(venv, "bin/activate"), "utf8")).not.toBe("half");
  });

  test("paths that neither PATH nor a shell could hold", async () => {
    using work = createWorkspace();
    const interpreter = await made(work);
    for (const name of ["a:b", "a\nb", "a\u0007b"]) {
      expect(() => createVenv(work.at(name), interpreter, {})).toThrow("in its path");
      expect(existsSync(work.at(name))).toBe(false);
    }
  });
});

describe("its base", () => {
  test("gone, upgraded or fine", async () => {
    using work = createWorkspace();
    const interpreter = await made(work);
    const venv = work.at(".venv");
    createVenv(venv, interpreter, {});
    const ask = async (): Promise<unknown> => {
      const base = basePathOf(venv);
      const prober = new Prober({ HOME: work.path });
      const found = base === undefined ? undefined : await prober.probe(base);
      return baseProblem(venv, found as Interpreter | undefined);
    };
    expect(await ask()).toBeUndefined();
    fakePython(work, "base-3.12.1", { version: "3.12.9" });
    expect(await ask()).toBeUndefined();
    fakePython(work, "base-3.12.1", { version: "3.13.0" });
    expect(await ask()).toMatchObject({ kind: "changed", was: "CPython 3.12.1" });
    rmSync(work.at("base-3.12.1"), { recursive: true });
    expect(await ask()).toEqual({
      kind: "gone",
      base: work.at("base-3.12.1/bin"),
      version: "3.12.1",
    });
    mkdirSync(work.at("base-3.12.1/bin"), { recursive: true });
    expect(await ask()).toMatchObject({ kind: "gone" });
  });
});

test("what stands in the way is told beforehand, and nothing is touched", async () => {
  using work = createWorkspace();
  const python = await made(work);
  work.write("full/mine.txt", "");
  work.write("file", "");
  for (const path of [work.at("full"), work.at("file"), work.at("a:b")]) {
    const refusal = (act: () => void): string => {
      try {
        act();
      } catch (error) {
        return error instanceof Error ? error.message : "";
      }
      return "none";
    };
    const told = refusal(() => checkVenvFolder(path));
    expect(told).toContain(`Cannot make the environment "${path}"`);
    expect(told).toBe(refusal(() => createVenv(path, python, { clear: true })));
  }
  createVenv(work.at("venv"), python, {});
  const before = readdirSync(work.at("venv")).sort();
  checkVenvFolder(work.at("venv"));
  checkVenvFolder(work.at("nothing"));
  expect(readdirSync(work.at("venv")).sort()).toEqual(before);
  expect(existsSync(work.at("nothing"))).toBe(false);
});
