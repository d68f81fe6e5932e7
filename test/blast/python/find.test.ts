import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import type { FindOptions } from "../../../src/blast/python/find.ts";
import { choosePython, findPython, listPythons } from "../../../src/blast/python/find.ts";
import { Prober } from "../../../src/blast/python/probe.ts";
import { createVenv } from "../../../src/blast/python/venv.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { fakePython, fakePythonScript } from "../../support/fake-python.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** A user whose Pythons are all made up: nothing of this machine is found before them. */
function user(work: Workspace, extra: Record<string, string> = {}): FindOptions {
  const environment = {
    HOME: work.folder("home"),
    PATH: [work.folder("path-a/bin"), work.folder("path-b/bin")].join(":"),
    ...extra,
  };
  return { environment, folder: work.folder("project") };
}

function startsOf(python: string): number {
  const file = python.replace(/[^/]*$/, "starts");
  return existsSync(file) ? readFileSync(file, "utf8").length / 2 : 0;
}

test("without a wish, the first of PATH", async () => {
  using work = createWorkspace();
  const first = fakePython(work, "path-a", { version: "3.9.1" });
  fakePython(work, "path-b", { version: "3.12.1" });
  const found = await choosePython(undefined, user(work));
  expect([found.interpreter.path, found.place, found.origin]).toEqual([first, "PATH", undefined]);
});

test("a version skips what does not fit, and looks into pyenv's folder", async () => {
  using work = createWorkspace();
  fakePython(work, "path-a", { version: "3.9.1" });
  const wanted = fakePython(work, "home/.pyenv/versions/3.12.1", { version: "3.12.1" });
  const other = fakePython(work, "home/.pyenv/versions/3.13.0", { version: "3.13.0" });
  const found = await choosePython("3.12", user(work));
  expect([found.interpreter.path, found.place]).toEqual([wanted, "pyenv"]);
  // The folder's name says that it is another.
  expect(startsOf(other)).toBe(0);
});

test("pyenv's shims are resolved and never run", async () => {
  using work = createWorkspace();
  const shim = work.write("pyenv/shims/python3", "#!/bin/sh\ntouch $0.ran\n", { mode: 0o755 });
  work.write("pyenv/version", "3.11.7\nsystem\n");
  const wanted = fakePython(work, "pyenv/versions/3.11.7", { version: "3.11.7" });
  const other = fakePython(work, "pyenv/versions/3.12.1", { version: "3.12.1" });
  const options = user(work, { PATH: work.at("pyenv/shims") });
  expect((await findPython(undefined, options)).path).toBe(wanted);
  expect((await findPython("3.12", options)).path).toBe(other);
  expect(existsSync(`${shim}.ran`)).toBe(false);
});

test("asdf's shims follow .tool-versions", async () => {
  using work = createWorkspace();
  work.write("asdf/shims/python3", "#!/bin/sh\nexit 9\n", { mode: 0o755 });
  work.write("project/.tool-versions", "nodejs 22\npython 3.10.4 3.9.1 # both\n");
  const wanted = fakePython(work, "asdf/installs/python/3.10.4", { version: "3.10.4" });
  fakePython(work, "asdf/installs/python/3.13.0", { version: "3.13.0" });
  const found = await findPython(undefined, user(work, { PATH: work.at("asdf/shims") }));
  expect(found.path).toBe(wanted);
});

describe("whose wish counts", () => {
  const requiresPython = { specifier: ">=3.11,<3.13", origin: "pyproject.toml" };
  const configured = { request: "3.13", origin: "blast.toml:2" };

  test("flag, then .python-version, then blast.toml, then requires-python", async () => {
    using work = createWorkspace();
    for (const version of ["3.10.1", "3.11.1", "3.12.1", "3.13.1"]) {
      fakePython(work, `home/.pyenv/versions/${version}`, { version });
    }
    const options = { ...user(work), requiresPython };
    const versionFor = async (wish: string | undefined, more: object = {}): Promise<string> =>
      (await findPython(wish, { ...options, ...more })).version;
    expect(await versionFor(undefined)).toBe("3.12.1");
    expect(await versionFor(undefined, { configured })).toBe("3.13.1");
    work.write(".python-version", "# the team's\n\n3.10\n");
    expect(await versionFor(undefined, { configured })).toBe("3.10.1");
    expect(await versionFor("3.11", { configured })).toBe("3.11.1");
    const { warnings } = await choosePython(undefined, { ...options, configured });
    expect(warnings).toEqual([
      `Python 3.10.1 (by ${work.at(".python-version")}) does not fit ` +
        '">=3.11,<3.13" of pyproject.toml',
      `Python 3.10.1 (by ${work.at(".python-version")}) is not Python 3.13 of blast.toml:2`,
    ]);
  });

  test("a name in .python-version is one that pyenv knows", async () => {
    using work = createWorkspace();
    const wanted = fakePython(work, "home/.pyenv/versions/work-env", { version: "3.9.9" });
    fakePython(work, "path-a", { version: "3.12.1" });
    work.write("project/.python-version", "work-env\n");
    expect((await findPython(undefined, user(work))).path).toBe(wanted);
  });
});

test("the active environment's base comes first, blast's own folder next", async () => {
  using work = createWorkspace();
  fakePython(work, "path-a", { version: "3.9.1" });
  const base = fakePython(work, "base", { version: "3.12.1" });
  const own = fakePython(work, "home/.local/share/blast/python/cpython-3.11.4-linux", {
    version: "3.11.4",
  });
  const options = user(work);
  expect((await findPython(undefined, options)).path).toBe(own);
  createVenv(work.at("env"), await findPython(base, options), {});
  const environment = { ...options.environment, VIRTUAL_ENV: work.at("env") };
  const found = await choosePython(undefined, { ...options, environment });
  expect([found.interpreter.path, found.place]).toEqual([base, "VIRTUAL_ENV"]);
  expect(found.interpreter.isVirtual).toBe(false);
});

test("pre-releases, free-threaded builds and PyPy only where nothing else fits", async () => {
  using work = createWorkspace();
  const path = (name: string): string => `home/.pyenv/versions/${name}`;
  const early = fakePython(work, path("3.14.0rc1"), { version: "3.14.0rc1" });
  const threads = fakePython(work, path("3.45.1t"), { version: "3.45.1", freeThreaded: true });
  const pypy = fakePython(work, path("pypy3.10-7.3.15"), {
    version: "3.10.14",
    implementation: "pypy",
  });
  const old = fakePython(work, path("3.8.2"), { version: "3.8.2" });
  const options = user(work);
  const at = async (wish: string | undefined): Promise<string> =>
    (await findPython(wish, options)).path;
  expect(await at(undefined)).toBe(old);
  expect(await at(">=3.8")).toBe(old);
  expect(await at("3.14")).toBe(early);
  expect(await at("3.14rc1")).toBe(early);
  expect(await at("3.45t")).toBe(threads);
  expect(await at("pypy")).toBe(pypy);
  expect(await at("3.10")).toBe(pypy);
  await expect(at("3.45")).rejects.toThrow("Cannot find Python 3.45 (asked");
});

test("nothing fits: what there is, where it was searched, nearest and way out", async () => {
  using work = createWorkspace();
  fakePython(work, "path-a", { version: "3.9.1" });
  const near = fakePython(work, "home/.pyenv/versions/3.12.1", { version: "3.12.1" });
  const options = { ...user(work), origin: "blast.toml:3" };
  const fault = await findPython("3.77", options).catch((error: unknown) => error);
  if (!(fault instanceof Fault)) throw fault;
  expect(fault.code).toBe("E_NOT_FOUND");
  expect(fault.message).toMatch(
    /^Cannot find Python 3\.77 \(asked for by blast\.toml:3\): none of/,
  );
  expect(fault.hint).toContain("`blast python install 3.77` gets it; the nearest here is ");
  expect(String((fault.cause as Error).message)).toStartWith("found: 3.9.1 (PATH), 3.12.1 (pyenv)");
  const places = ((fault.cause as Error).cause as Error).message;
  for (const place of [work.at("path-b/bin"), work.at("home/.pyenv/versions"), "conda", "uv (/"]) {
    expect(places).toContain(place);
  }
  expect(fault.details["found"]).toContainEqual({
    version: "3.12.1",
    implementation: "cpython",
    path: near,
    place: "pyenv",
  });
});

describe("a path", () => {
  test("may be the executable, an installation, an environment or its bin", async () => {
    using work = createWorkspace();
    const base = fakePython(work, "base", { version: "3.12.1" });
    const options = user(work);
    for (const path of [base, work.at("base"), work.at("base/bin"), "../base"]) {
      expect((await findPython(path, options)).path).toBe(base);
    }
    createVenv(work.at("project/.venv"), await findPython(base, options), {});
    const inside = await findPython("./.venv", options);
    expect([inside.path, inside.isVirtual, inside.prefix]).toEqual([
      base,
      true,
      work.at("project/.venv"),
    ]);
    expect(inside.paths.purelib).toBe(work.at("project/.venv/lib/python3.12/site-packages"));
  });

  test("that leads nowhere, to no Python or to a broken one is told", async () => {
    using work = createWorkspace();
    const options = user(work);
    const broken = work.write("broken", "#!/bin/sh\necho oops >&2; exit 3\n", { mode: 0o755 });
    const find = (path: string): Promise<unknown> => findPython(path, options);
    await expect(find("./nowhere")).rejects.toThrow(
      `Cannot find Python "${work.at("project/nowhere")}"`,
    );
    await expect(find(work.folder("empty"))).rejects.toThrow(`Cannot find a Python in`);
    await expect(find(broken)).rejects.toThrow(
      `Cannot use Python "${broken}": it does not answer: oops`,
    );
  });
});

test("one that has failed is asked again before there is none", async () => {
  using work = createWorkspace();
  const mended = work.at("mended");
  const check = `#!/bin/sh\n[ -e '${mended}' ] || exit 127\n`;
  const text = fakePythonScript({ version: "3.79.1" }).replace("#!/bin/sh\n", check);
  const path = work.write("path-b/bin/python3", text, { mode: 0o755 });
  const options = user(work);
  await expect(findPython("3.79", options)).rejects.toThrow("Cannot find Python 3.79");
  work.write("mended", "");
  expect((await findPython("3.79", options)).path).toBe(path);
});

test("each Python is asked once, until its file changes", async () => {
  using work = createWorkspace();
  const python = fakePython(work, "path-a", { version: "3.9.1" });
  const broken = work.write("path-b/bin/python3", "#!/bin/sh\necho x >>$0.n; exit 1\n", {
    mode: 0o755,
  });
  const options = user(work);
  const startedFor = async (): Promise<number> => {
    const prober = new Prober(options.environment);
    await findPython(">=3.9", { ...options, prober });
    await listPythons({ ...options, prober });
    return prober.started;
  };
  expect(await startedFor()).toBeGreaterThan(1);
  const before = [startsOf(python), readFileSync(`${broken}.n`, "utf8").length / 2];
  expect(before).toEqual([1, 1]);
  expect(await startedFor()).toBe(0);
  fakePython(work, "path-a", { version: "3.10.12" });
  expect((await findPython(undefined, options)).version).toBe("3.10.12");
});

test("names of one executable share an answer", async () => {
  using work = createWorkspace();
  const python = fakePython(work, "path-a", { version: "3.9.1" });
  symlinkSync("python3", work.at("path-a/bin/python3.9"));
  symlinkSync("python3", work.at("path-a/bin/python"));
  const options = user(work);
  for (const name of ["python", "python3", "python3.9"]) {
    expect((await findPython(work.at("path-a/bin", name), options)).path).toBe(python);
  }
  expect(startsOf(python)).toBe(1);
});
