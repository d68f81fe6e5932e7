import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Environment, openEnvironment } from "../../../src/blast/env/environment.ts";
import type { WheelSource } from "../../../src/blast/env/install-item.ts";
import { applyChanges, type ChangeOptions } from "../../../src/blast/env/transaction.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const SITE = "lib/python3.11/site-packages";

function scene(work: Workspace) {
  const environment = openEnvironment(createBareVenv(work));
  let count = 0;
  const wheel = (name: string, files: Record<string, string>, entryPoints?: string) =>
    createWheel(work.at(`store/${count++}`), {
      name,
      files,
      ...(entryPoints === undefined ? {} : { entryPoints }),
    });
  const install = async (wheels: WheelSource[], options: Partial<ChangeOptions> = {}) =>
    await applyChanges(
      environment,
      { remove: [], install: wheels.map((each) => ({ wheel: each, requested: false })) },
      { command: "test", ...options },
    );
  return { environment, wheel, install };
}

async function refusal(environment: Environment, run: () => Promise<unknown>): Promise<Fault> {
  const before = snapshotTree(environment.root);
  const names = (): string[] => Object.keys(snapshotTree(environment.root, /^$/));
  const all = names();
  const error = await run().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Fault);
  // Told before anything is written, the state folder's lock apart.
  expect(snapshotTree(environment.root)).toEqual(before);
  expect(names().filter((path) => !all.includes(path) && !/^\.blast\/(lock)?$/.test(path))).toEqual(
    [],
  );
  return error as Fault;
}

test("two new packages that differ in one file are refused, with both owners", async () => {
  using work = createWorkspace();
  const { environment, wheel, install } = scene(work);
  const wheels = [wheel("a", { "cv/x.py": "1" }), wheel("b", { "cv/x.py": "2" })];
  const fault = await refusal(environment, () => install(wheels));
  expect(fault.message).toBe(`Cannot install "b": "${SITE}/cv/x.py" belongs to "a" as well`);
  expect(fault.details).toEqual({
    conflicts: [{ path: `${SITE}/cv/x.py`, owners: ["a", "b"] }],
  });
  const { notes } = await install(wheels, { conflicts: "replace" });
  expect(notes).toEqual([`"${SITE}/cv/x.py" belongs to "a" and to "b": took what "b" has`]);
  expect(readFileSync(join(environment.paths.purelib, "cv/x.py"), "utf8")).toBe("2");
});

test("scripts of one name are a conflict as well", async () => {
  using work = createWorkspace();
  const { environment, wheel, install } = scene(work);
  const entry = (module: string): string => `[console_scripts]\ntool = ${module}:main\n`;
  const wheels = [wheel("a", {}, entry("a")), wheel("b", {}, entry("b"))];
  const fault = await refusal(environment, () => install(wheels));
  expect(fault.message).toBe('Cannot install "b": "bin/tool" belongs to "a" as well');
});

test("an installed owner is named, until it is removed in the same transaction", async () => {
  using work = createWorkspace();
  const { environment, wheel, install } = scene(work);
  await install([wheel("old", { "cv/x.py": "1", "top.py": "1" })]);
  const fresh = wheel("new", { "cv/x.py": "2", "top.py": "2", "cv/y.py": "" });
  const fault = await refusal(environment, () => install([fresh]));
  expect(fault.message).toBe(
    `Cannot install "new": "${SITE}/cv/x.py" belongs to "old" as well, and so does one more file`,
  );
  const item = { wheel: fresh, requested: true };
  await applyChanges(
    environment,
    { remove: environment.installed(), install: [item] },
    { command: "test" },
  );
  expect(environment.installed().map(({ name }) => String(name))).toEqual(["new"]);
  expect(readFileSync(join(environment.paths.purelib, "top.py"), "utf8")).toBe("2");
});

test("a file of nobody's is not written over, unless that is allowed", async () => {
  using work = createWorkspace();
  const { environment, wheel, install } = scene(work);
  work.write(`venv/${SITE}/mine/__init__.py`, "precious");
  const wheels = [wheel("a", { "mine/__init__.py": "theirs", "mine/b.py": "" })];
  const fault = await refusal(environment, () => install(wheels));
  expect(fault.message).toBe(
    `Cannot install "a": "${SITE}/mine/__init__.py" is in the way and belongs to no package`,
  );
  expect(fault.hint).toBe("move the file away");
  // What is allowed between packages is not allowed for what is nobody's.
  const shared = await refusal(environment, () => install(wheels, { conflicts: "share" }));
  expect(shared.message).toBe(fault.message);
  const result = await install(wheels, { conflicts: "replace" });
  expect(result.notes).toHaveLength(1);
  expect(readFileSync(join(environment.paths.purelib, "mine/__init__.py"), "utf8")).toBe("theirs");
});

test("files where folders go, folders where files go, and links out are refused", async () => {
  using work = createWorkspace();
  const { environment, wheel, install } = scene(work);
  work.write(`venv/${SITE}/file`, "");
  work.folder(`venv/${SITE}/folder.py`);
  work.folder("outside");
  Bun.spawnSync(["ln", "-s", work.at("outside"), work.at("venv", SITE, "linked")]);
  for (const path of ["file/x.py", "folder.py", "linked/x.py"]) {
    const fault = await refusal(environment, () => install([wheel("a", { [path]: "x" })]));
    expect(fault.message).toContain("is in the way and belongs to no package");
  }
  await install([wheel("a", { "file/x.py": "", "linked/x.py": "" })], { conflicts: "replace" });
  expect(snapshotTree(work.at("outside"))).toEqual({});
  const clash = [wheel("p", { "q/x.py": "" }), wheel("r", { q: "" })];
  const fault = await refusal(environment, () => install(clash, { conflicts: "share" }));
  expect(fault.message).toContain('belongs to "p"');
  expect(fault.hint).toBe("leave one of the two packages out");
});

test("files of the same content are shared, and stay while one owner is left", async () => {
  using work = createWorkspace();
  const { environment, wheel, install } = scene(work);
  const shared = { "space/__init__.py": "# namespace\n" };
  await install([
    wheel("a", { ...shared, "space/a.py": "" }),
    wheel("b", { ...shared, "space/b.py": "" }),
  ]);
  await install([wheel("c", { ...shared, "space/c.py": "" })]);
  const remove = async (...names: string[]) => {
    const leaving = environment.installed().filter(({ name }) => names.includes(name));
    return await applyChanges(environment, { remove: leaving, install: [] }, { command: "test" });
  };
  expect((await remove("c", "a")).notes).toEqual([
    `left "${SITE}/space/__init__.py", which "b" has too`,
  ]);
  const left = Object.keys(snapshotTree(environment.paths.purelib));
  expect(left.filter((path) => path.startsWith("space/"))).toEqual([
    "space/",
    "space/__init__.py",
    "space/b.py",
  ]);
  await remove("b");
  expect(snapshotTree(environment.paths.purelib)).toEqual({});
});

const onVfat = testUnless(cannotMount("vfat"));

onVfat("on a file system that folds case, names that differ in it collide", async () => {
  using disk = mountFilesystem({ kind: "vfat", sizeBytes: 16 * 1024 * 1024 });
  using work = createWorkspace(disk.path);
  const { environment, wheel, install } = scene(work);
  const clash = [wheel("a", { "Mod.py": "1" }), wheel("b", { "mod.py": "2" })];
  expect((await refusal(environment, () => install(clash))).message).toContain('belongs to "a"');
  await install([wheel("c", { "Pkg/x.py": "1" })]);
  const fault = await refusal(environment, () => install([wheel("d", { "pkg/X.py": "2" })]));
  expect(fault.message).toContain('belongs to "c" as well');
  await applyChanges(
    environment,
    { remove: environment.installed(), install: [{ wheel: clash[1]!, requested: false }] },
    { command: "test" },
  );
  expect(Object.keys(snapshotTree(environment.paths.purelib))).toContain("mod.py");
});

test("an environment that answers to another case is taken for such a file system", async () => {
  using work = createWorkspace();
  const { environment, wheel, install } = scene(work);
  work.write("venv/PYVENV.CFG");
  const clash = [wheel("a", { "Pkg/x.py": "1" }), wheel("b", { "pkg/X.py": "2" })];
  expect((await refusal(environment, () => install(clash))).message).toContain('belongs to "a"');
});

test("on other file systems such names are two files", async () => {
  using work = createWorkspace();
  const { environment, wheel, install } = scene(work);
  await install([wheel("a", { "Mod.py": "1" }), wheel("b", { "mod.py": "2" })]);
  expect(readFileSync(join(environment.paths.purelib, "Mod.py"), "utf8")).toBe("1");
});
