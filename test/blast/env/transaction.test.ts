import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openEnvironment } from "../../../src/blast/env/environment.ts";
import { recover } from "../../../src/blast/env/recover.ts";
import { applyChanges } from "../../../src/blast/env/transaction.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import { createWorkspace } from "../../support/workspace.ts";

const command = "blast install";

test("a wheel is installed with all that belongs to it, and removed without a trace", async () => {
  using work = createWorkspace();
  const environment = openEnvironment(createBareVenv(work));
  const before = snapshotTree(environment.root);
  const wheel = createWheel(work.at("store/a"), {
    name: "Foo-Bar",
    files: {
      "foo_bar/__init__.py": "x = 1\n",
      "foo_bar/sub/deep/data.txt": "data",
      "single.py": "y = 2\n",
      "Foo_Bar-1.0.data/scripts/tool": "#!python\nprint(1)\n",
      "Foo_Bar-1.0.data/scripts/native*": "\u007fELF",
      "Foo_Bar-1.0.data/data/share/doc/foo.txt": "doc",
      "Foo_Bar-1.0.data/headers/foo.h": "int x;",
      "Foo_Bar-1.0.data/purelib/more.py": "z = 3\n",
    },
    entryPoints: "[console_scripts]\nfoo = foo_bar:main\n",
  });
  const result = await applyChanges(
    environment,
    { remove: [], install: [{ wheel, requested: true }] },
    { command },
  );
  expect(result).toMatchObject({ number: 1, notes: [], linkMode: "hardlink" });
  const [installed] = environment.installed();
  expect(installed).toMatchObject({
    name: "foo-bar",
    distInfo: "Foo_Bar-1.0.dist-info",
    installer: "blast",
    requested: true,
  });
  const site = "lib/python3.11/site-packages";
  const paths = Object.keys(snapshotTree(environment.root)).filter((path) => !(path in before));
  expect(paths.filter((path) => !path.endsWith("/"))).toEqual([
    "bin/foo",
    "bin/native",
    "bin/tool",
    "include/site/python3.11/foo-bar/foo.h",
    `${site}/Foo_Bar-1.0.dist-info/INSTALLER`,
    `${site}/Foo_Bar-1.0.dist-info/METADATA`,
    `${site}/Foo_Bar-1.0.dist-info/RECORD`,
    `${site}/Foo_Bar-1.0.dist-info/REQUESTED`,
    `${site}/Foo_Bar-1.0.dist-info/WHEEL`,
    `${site}/Foo_Bar-1.0.dist-info/entry_points.txt`,
    `${site}/foo_bar/__init__.py`,
    `${site}/foo_bar/sub/deep/data.txt`,
    `${site}/more.py`,
    `${site}/single.py`,
    "share/doc/foo.txt",
  ]);
  const listed = installed?.record()?.map(({ path }) => join(site, path));
  expect(listed?.sort()).toEqual(paths.filter((path) => !path.endsWith("/")));
  expect(readFileSync(work.at("venv/bin/tool"), "utf8")).toBe(
    `#!${work.at("venv/bin/python")}\nprint(1)\n`,
  );
  expect(statSync(work.at("venv/bin/foo")).mode & 0o111).toBe(0o111);

  await applyChanges(environment, { remove: environment.installed(), install: [] }, { command });
  expect(environment.installed()).toEqual([]);
  expect(snapshotTree(environment.root)).toEqual(before);
});

test("a wheel brings nothing into the folder that blast itself believes", async () => {
  using work = createWorkspace();
  const environment = openEnvironment(createBareVenv(work));
  const before = snapshotTree(environment.root);
  const outside = work.at("outside.txt");
  const journal = {
    ...{ format: 1, number: 9, timeMs: 0, boot: "", command: "x", removed: [], installed: [] },
    ...{ asides: [], places: [], packages: [] },
    manifests: [{ path: outside, before: "written by a wheel", after: null }],
  };
  for (const folder of [".blast", ".BLAST"]) {
    const wheel = createWheel(work.at(`store/${folder.slice(1)}`), {
      name: "evil",
      files: {
        [`evil-1.0.data/data/${folder}/open-9/journal.json`]: `${JSON.stringify(journal)}\n`,
        [`evil-1.0.data/data/${folder}/open-9/new/x`]: "",
      },
    });
    const install = [{ wheel, requested: true }];
    const change = applyChanges(environment, { remove: [], install }, { command });
    await expect(change).rejects.toThrow(`its file "${folder}/open-9/`);
    recover(environment, command);
    expect(existsSync(outside)).toBe(false);
  }
  const after = Object.keys(snapshotTree(environment.root)).filter((path) => !(path in before));
  expect(after.filter((path) => !path.startsWith(".blast"))).toEqual([]);
});

test("RECORD holds names with commas and quotes as others do", async () => {
  using work = createWorkspace();
  const environment = openEnvironment(createBareVenv(work));
  const names = ["odd/a,b.py", 'odd/"c".py', "odd/plain.py"];
  const files = Object.fromEntries(names.map((name) => [name, `${name}\n`]));
  const wheel = createWheel(work.at("store/odd"), { name: "odd", files });
  const install = [{ wheel, requested: false }];
  await applyChanges(environment, { remove: [], install }, { command: "test" });
  const record = environment.installed()[0]?.record() ?? [];
  const sizes = new Map(record.map(({ path, size }) => [path, size]));
  for (const name of names) expect(sizes.get(name)).toBe(name.length + 1);
});
