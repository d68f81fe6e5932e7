import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { openEnvironment, plannedEnvironment } from "../../../src/blast/env/environment.ts";
import { createBareVenv } from "../../support/blast-env.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("a venv's folders come from what lies in it", () => {
  using work = createWorkspace();
  const root = createBareVenv(work);
  symlinkSync("lib", work.at("venv/lib64"));
  expect(openEnvironment(root)).toMatchObject({
    kind: "venv",
    root,
    python: `${root}/bin/python`,
    paths: {
      purelib: `${root}/lib/python3.11/site-packages`,
      platlib: `${root}/lib/python3.11/site-packages`,
      scripts: `${root}/bin`,
      headers: `${root}/include/site/python3.11`,
      data: root,
    },
  });
});

test("PyPy, free-threaded builds, virtualenv's key, and several versions side by side", () => {
  using work = createWorkspace();
  work.write("pypy/pyvenv.cfg", "implementation = PyPy\nversion_info = 3.10.14.final.0\n");
  expect(openEnvironment(work.at("pypy")).relative.purelib).toBe("lib/pypy3.10/site-packages");
  work.write("ft/pyvenv.cfg", "version_info = 3.13.0\n");
  work.folder("ft/lib/python3.13t/site-packages");
  expect(openEnvironment(work.at("ft")).relative.purelib).toBe("lib/python3.13t/site-packages");
  work.write("two/pyvenv.cfg", "version = 3.12.1\n");
  work.folder("two/lib/python3.11/site-packages");
  work.folder("two/lib/python3.12/site-packages");
  expect(openEnvironment(work.at("two")).relative.purelib).toBe("lib/python3.12/site-packages");
  work.write("fedora/pyvenv.cfg", "version = 3.12.1\n");
  work.folder("fedora/lib/python3.12/site-packages");
  work.folder("fedora/lib64/python3.12/site-packages");
  expect(openEnvironment(work.at("fedora")).relative).toMatchObject({
    purelib: "lib/python3.12/site-packages",
    platlib: "lib64/python3.12/site-packages",
  });
});

test("one that is only planned has the folders that it would have, and nothing in them", () => {
  using work = createWorkspace();
  const root = createBareVenv(work);
  work.folder("venv/lib/python3.11/site-packages/app-1.0.dist-info");
  const site = "lib/python3.11/site-packages";
  const planned = plannedEnvironment(root, { purelib: site, platlib: site, scripts: "bin" });
  const there = openEnvironment(root);
  expect(there.installed().map(({ name }) => `${name}`)).toEqual(["app"]);
  expect(planned.installed()).toEqual([]);
  const { paths, relative, python } = there;
  expect(planned).toMatchObject({ kind: "venv", root, paths, relative, python });
});

test("what is no environment is told so", () => {
  using work = createWorkspace();
  expect(() => openEnvironment(work.path)).toThrow("it has no pyvenv.cfg");
  work.write("pyvenv.cfg", "home = /usr/bin\n");
  expect(() => openEnvironment(work.path)).toThrow("it has no lib/python… folder");
});

test("a prefix opens by its interpreter's scheme, if that is one place", () => {
  using work = createWorkspace();
  const at = (name: string): string => work.at("usr/local", name);
  const scheme = {
    purelib: at("lib/python3.11/dist-packages"),
    platlib: at("lib/python3.11/dist-packages"),
    scripts: at("bin"),
    headers: at("include/python3.11"),
    data: work.at("usr/local"),
  };
  const path = "/usr/bin/python3";
  expect(openEnvironment(work.path, { path, scheme })).toMatchObject({
    kind: "prefix",
    root: work.at("usr/local"),
    python: path,
    relative: { purelib: "lib/python3.11/dist-packages", scripts: "bin" },
  });
  const apart = { ...scheme, scripts: "/elsewhere/bin" };
  expect(() => openEnvironment(work.path, { path, scheme: apart })).toThrow("lies outside of");
});
