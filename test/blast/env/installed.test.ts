import { expect, test } from "bun:test";
import { openEnvironment } from "../../../src/blast/env/environment.ts";
import { createBareVenv } from "../../support/blast-env.ts";
import { createWorkspace } from "../../support/workspace.ts";

const SITE = "venv/lib/python3.11/site-packages";

test("every way in which distributions are recorded", () => {
  using work = createWorkspace();
  const environment = openEnvironment(createBareVenv(work));
  const metadata = (name: string, version: string): string =>
    `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n\nName: wrong\n`;
  work.write(`${SITE}/Plain_Name-1.0.dist-info/INSTALLER`, "pip\n");
  work.write(`${SITE}/Plain_Name-1.0.dist-info/REQUESTED`);
  work.write(
    `${SITE}/Plain_Name-1.0.dist-info/direct_url.json`,
    '{"url": "file:///src", "dir_info": {"editable": true}}',
  );
  work.write(`${SITE}/epoch-1!2.0_1.dist-info/x`);
  work.write(`${SITE}/odd-name-3.dist-info/METADATA`, metadata("Odd.Name", "3"));
  work.write(`${SITE}/no.metadata.dist-info/x`);
  work.write(`${SITE}/~eftover-1.0.dist-info/METADATA`, metadata("leftover", "1.0"));
  work.write(`${SITE}/old-2.0-py3.11.egg-info/PKG-INFO`, metadata("old", "2.0"));
  work.write(`${SITE}/ancient-0.1.egg-info`, metadata("ancient", "0.1"));
  work.write("sources/dev_pkg.egg-info/PKG-INFO", metadata("dev-pkg", "0.5.dev0"));
  work.write(`${SITE}/dev_pkg.egg-link`, `${work.at("sources")}\n.`);
  work.write(`${SITE}/whole-4.0-py3.11.egg/EGG-INFO/PKG-INFO`, metadata("whole", "4.0"));
  work.write(`${SITE}/module.py`);
  const found = environment.installed();
  expect(found.map(({ kind, name, version }) => `${kind} ${name} ${version}`)).toEqual([
    "distutils ancient 0.1",
    "egg-link dev-pkg 0.5.dev0",
    "dist-info epoch 1!2.0.post1",
    "dist-info odd-name 3",
    "egg-info old 2.0",
    "dist-info plain-name 1.0",
    "egg whole 4.0",
  ]);
  expect(found[5]).toMatchObject({ installer: "pip", requested: true });
  expect(found[5]?.directUrl).toMatchObject({
    url: "file:///src",
    info: { kind: "directory", editable: true },
  });
  expect(found[2]).toMatchObject({ installer: undefined, requested: false, directUrl: undefined });
});
