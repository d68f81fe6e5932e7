import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { readWheelMember } from "../../../src/blast/wheel/member.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { builderScene, sdistIn, treeIn, wanted } from "./source-builder.fixture.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe("sdists", () => {
  test("metadata by its own hook, then the wheel, in one environment and one tree", async () => {
    using work = createWorkspace();
    const scene = await builderScene(work, { settings: { "--flag": ["a", "b"] } });
    const hooks = ["build_wheel", "prepare_metadata_for_build_wheel"];
    const { file, path } = sdistIn(work, { hooks, metadata: "Requires-Dist: other>=2\n" });
    expect(await scene.builder.buildMetadata(file, path)).toContain("Requires-Dist: other>=2");
    expect(scene.calls()).toEqual(["prepare_metadata_for_build_wheel"]);
    expect(scene.built).toEqual([]);
    const wheel = await scene.builder.buildWheel(wanted({ file }), path);
    expect(scene.calls()).toEqual(["build_wheel"]);
    expect(scene.built).toEqual(["demo-1.0.tar.gz"]);
    expect(text(readWheelMember(wheel.path, "demo.py"))).toBe('VERSION = "1.0"\n');
    expect(scene.asked).toEqual([""]);
    expect(scene.lines).toContain('demo-1.0.tar.gz: settings {"--flag": ["a", "b"]}');
  });

  test("without that hook, metadata is that of the wheel, which is built once", async () => {
    using work = createWorkspace();
    const scene = await builderScene(work);
    const { file, path } = sdistIn(work, { hooks: ["build_wheel"] });
    const [metadata, wheel] = await Promise.all([
      scene.builder.buildMetadata(file, path),
      scene.builder.buildWheel(wanted({ file }), path),
    ]);
    expect(metadata).toContain("Name: demo");
    expect(existsSync(wheel.path)).toBe(true);
    expect(scene.calls()).toEqual(["build_wheel"]);
  });

  test("a later run builds nothing, unless something that counts has changed", async () => {
    using work = createWorkspace();
    const first = await builderScene(work);
    const { file, path } = sdistIn(work, { hooks: ["build_wheel"] });
    const wheel = await first.builder.buildWheel(wanted({ file }), path);
    first.calls();
    const later = await builderScene(work);
    expect(await later.builder.buildWheel(wanted({ file }), path)).toEqual(wheel);
    expect(await later.builder.buildMetadata(file, path)).toContain("Name: demo");
    expect([later.calls(), later.built, later.asked]).toEqual([[], [], []]);
    const configured = await builderScene(work, { settings: { a: "b" } });
    await configured.builder.buildWheel(wanted({ file }), path);
    expect(configured.calls()).toEqual(["build_wheel"]);
    const other = sdistIn(work, { hooks: ["build_wheel"], files: { "demo.py": "" } });
    later.calls();
    await later.builder.buildWheel(wanted({ file: other.file }), other.path);
    expect(later.calls()).toEqual(["build_wheel"]);
    const without = await builderScene(work, { noCache: true });
    await without.builder.buildWheel(wanted({ file }), path);
    expect(without.calls()).toEqual(["build_wheel"]);
  });

  test("what the backend needs besides gets an environment with both", async () => {
    using work = createWorkspace();
    const scene = await builderScene(work);
    const { file, path } = sdistIn(work, {
      requires: ["tool>=1 ; python_version >= '3'"],
      buildSystem: 'requires = ["base"]',
    });
    await scene.builder.buildWheel(wanted({ file }), path);
    expect(scene.asked).toEqual(["base", "base, tool>=1 ; python_version >= '3'"]);
  });

  test("[project] that leaves nothing open needs no build", async () => {
    using work = createWorkspace();
    const scene = await builderScene(work);
    const pyproject = '[project]\nname = "demo"\nversion = "1.0"\ndependencies = ["a"]';
    const { file, path } = sdistIn(work, { pyproject });
    expect(await scene.builder.buildMetadata(file, path)).toContain("Requires-Dist: a");
    expect([scene.calls(), scene.asked]).toEqual([[], []]);
  });

  test("a build sees its own environment, and not the user's", async () => {
    using work = createWorkspace();
    const scene = await builderScene(work, {
      variables: {
        PATH: `${work.at("venv/bin")}:${process.env["PATH"]}`,
        VIRTUAL_ENV: work.at("venv"),
        PYTHONPATH: work.path,
        BUN_OPTIONS: "x",
      },
    });
    const code = [
      "env = os.environ",
      'print("path", env["PATH"].split(":")[0], env["PATH"].count("venv/bin"))',
      'print("prefix", sys.prefix, env["VIRTUAL_ENV"] == sys.prefix)',
      'print("left", [one for one in ("PYTHONPATH", "BUN_OPTIONS") if one in env])',
      'print("folder", os.path.basename(os.getcwd()), os.getcwd() in sys.path[1:], "" in sys.path)',
      "print('argv', len(sys.argv))",
    ].join("\n");
    const { file, path } = sdistIn(work, { code, hooks: ["build_wheel"] });
    await scene.builder.buildWheel(wanted({ file }), path);
    const environments = work.at("cache/builds-v1/environments");
    const [name = ""] = readdirSync(environments).filter((one) => !one.endsWith(".lock"));
    const said = (start: string) =>
      scene.lines.find((line) => line.includes(`: ${start} `))?.split(`${start} `)[1];
    expect(said("path")).toBe(`${environments}/${name}/bin 0`);
    expect(said("prefix")).toBe(`${environments}/${name} True`);
    expect(said("left")).toBe("[]");
    expect(said("folder")).toBe("demo-1.0 False False");
    expect(said("argv")).toBe("1");
  });

  test("without isolation, the interpreter itself is used", async () => {
    using work = createWorkspace();
    const scene = await builderScene(work, { isIsolated: false });
    const { file, path } = sdistIn(work, { code: 'print("prefix", sys.prefix)' });
    await scene.builder.buildWheel(wanted({ file }), path);
    expect(scene.asked).toEqual([]);
    expect(scene.lines.join("\n")).not.toContain("environments");
  });
});

describe("builds that fail", () => {
  async function failure(spec: Parameters<typeof sdistIn>[1]) {
    using work = createWorkspace();
    const scene = await builderScene(work);
    const { file, path } = sdistIn(work, spec);
    try {
      await scene.builder.buildWheel(wanted({ file }), path);
    } catch (error) {
      const { message, excerpt, hint, code } = error as Record<string, unknown>;
      const log = /is in (.+)$/.exec(String(hint))?.[1];
      const kept = log === undefined ? undefined : readFileSync(log, "utf8");
      const mode = log === undefined ? 0 : statSync(log).mode & 0o777;
      return { message, excerpt: (excerpt as string[]).join("\n"), code, kept, mode };
    }
    throw new Error("it did not fail");
  }

  test("with what they have said last, and a file with all of it", async () => {
    const code = 'for n in range(50): print("line", n)\nraise SystemExit("no compiler")';
    const told = await failure({ code, hooks: ["build_wheel"] });
    expect(told).toMatchObject({
      code: "E_BUILD",
      message:
        'Cannot build "demo-1.0.tar.gz": "build_wheel" of "backend:hooks" failed with exit code 1',
      excerpt: expect.stringMatching(/^line 31\n(line \d+\n){18}no compiler$/),
      kept: expect.stringContaining("line 0\nline 1\n"),
      mode: 0o600,
    });
  });

  test("by ending without an answer, or by a signal", async () => {
    const hooks = ["build_wheel"];
    expect((await failure({ code: "raise SystemExit(0)", hooks })).message).toBe(
      'Cannot build "demo-1.0.tar.gz": "build_wheel" of "backend:hooks" ended without an answer',
    );
    expect((await failure({ code: "os.kill(os.getpid(), 9)", hooks })).message).toBe(
      'Cannot build "demo-1.0.tar.gz": "build_wheel" of "backend:hooks" was ended by SIGKILL',
    );
  });

  test("by a backend that cannot be imported, or is not where it should be", async () => {
    const told = await failure({ buildSystem: 'backend-path = ["none"]' }).catch((error) => error);
    expect(told.message).toContain("pyproject.toml of demo-1.0.tar.gz");
    const missing = (await failure({ hooks: [], code: "" })).message;
    expect(missing).toBe(
      'Cannot build "demo-1.0.tar.gz": its build backend "backend:hooks" ' +
        'has no hook "build_wheel" (PEP 517)',
    );
  });

  test("by making something else than was wanted", async () => {
    const hooks = ["build_wheel"];
    expect((await failure({ hooks, wheelName: "other-1.0-py3-none-any.whl" })).message).toBe(
      'Cannot build "demo-1.0.tar.gz": its build has made other==1.0, wanted was demo==1.0',
    );
    expect((await failure({ hooks, wheelName: "demo-2.0-py3-none-any.whl" })).message).toBe(
      'Cannot build "demo-1.0.tar.gz": its build has made demo==2.0, wanted was demo==1.0',
    );
    expect((await failure({ hooks, tag: "cp27-none-any" })).message).toBe(
      'Cannot build "demo-1.0.tar.gz": its build has made "demo-1.0-cp27-none-any.whl", ' +
        "which does not fit this Python",
    );
    expect((await failure({ hooks, wheelName: "../demo-1.0-py3-none-any.whl" })).message).toBe(
      'Cannot build "demo-1.0.tar.gz": "build_wheel" of "backend:hooks": ' +
        "its answer is no name of a .whl",
    );
    expect((await failure({ requires: [3] as unknown as string[] })).message).toContain(
      "its answer is no list of requirements",
    );
  });

  test("and are tried again when they are asked for again, in another run", async () => {
    using work = createWorkspace();
    const { file, path } = sdistIn(work, {
      hooks: ["build_wheel"],
      code: `assert os.path.exists(${JSON.stringify(work.at("ready"))})`,
    });
    const scene = await builderScene(work);
    await expect(scene.builder.buildWheel(wanted({ file }), path)).rejects.toThrow("Cannot build");
    work.write("ready");
    const later = await builderScene(work);
    expect(existsSync((await later.builder.buildWheel(wanted({ file }), path)).path)).toBe(true);
  });
});

describe("folders", () => {
  test("are built in place, anew in each run, and editable by PEP 660", async () => {
    using work = createWorkspace();
    const path = treeIn(work, "tree");
    const source = { kind: "directory", path, editable: true } as const;
    for (let run = 0; run < 2; run += 1) {
      const scene = await builderScene(work);
      const { metadata, source: exact } = await scene.builder.buildDirect(source, undefined);
      expect(metadata.version.toString()).toBe("1.0");
      expect(exact).toEqual(source);
      const wheel = await scene.builder.buildWheel(wanted({ source }), undefined);
      expect(text(readWheelMember(wheel.path, "demo.pth"))).toBe(`${path}/src\n`);
      const plain = { ...source, editable: false };
      const other = await scene.builder.buildWheel(wanted({ source: plain }), undefined);
      expect(text(readWheelMember(other.path, "demo.py"))).toContain("1.0");
      expect(scene.calls()).toEqual([
        "get_requires_for_build_editable",
        "build_editable",
        "get_requires_for_build_wheel",
        "build_wheel",
      ]);
    }
  });

  test("without PEP 660 there is no editable install", async () => {
    using work = createWorkspace();
    const path = treeIn(work, "tree", { hooks: ["build_wheel"] });
    const source = { kind: "directory", path, editable: true } as const;
    const scene = await builderScene(work);
    await expect(scene.builder.buildWheel(wanted({ source }), undefined)).rejects.toMatchObject({
      message: expect.stringMatching(/ does not support editable installs \(PEP 660\)$/),
    });
  });

  test("that hold no project are told", async () => {
    using work = createWorkspace();
    const path = work.folder("empty");
    const scene = await builderScene(work);
    const source = { kind: "directory", path, editable: false } as const;
    await expect(scene.builder.buildDirect(source, undefined)).rejects.toMatchObject({
      code: "E_BUILD",
      message: `Cannot build "${path}": it has neither a pyproject.toml nor a setup.py`,
    });
  });
});

test("archives by URL, with a subdirectory", async () => {
  using work = createWorkspace();
  const scene = await builderScene(work);
  const { path } = sdistIn(work);
  const url = "https://host.test/download/demo-1.0.tar.gz";
  const whole = { kind: "archive", url } as const;
  const { metadata } = await scene.builder.buildDirect(whole, path);
  expect(metadata.name as string).toBe("demo");
  const part = { ...whole, subdirectory: "packages/demo" };
  await expect(scene.builder.buildDirect(part, path)).rejects.toMatchObject({
    message: `Cannot build "${url}": it has neither a pyproject.toml nor a setup.py`,
  });
});

test("a run leaves nothing behind but what is of use later", async () => {
  using work = createWorkspace();
  const scene = await builderScene(work);
  const { file, path } = sdistIn(work);
  const wheel = await scene.builder.buildWheel(wanted({ file }), path);
  const builds = work.at("cache/builds-v1");
  expect(readdirSync(builds).sort()).toEqual(["environments", "logs", "wheels", "work"]);
  expect(readdirSync(`${builds}/logs`)).toEqual([]);
  const [run = ""] = readdirSync(`${builds}/work`).filter((name) => !name.endsWith(".lock"));
  const sources = readdirSync(`${builds}/work/${run}`).filter((name) => name.includes("source"));
  expect(sources).toEqual([]);
  expect(readdirSync(dirname(wheel.path)).sort()).toEqual([
    "demo-1.0-py3-none-any.whl",
    "note.json",
  ]);
});
