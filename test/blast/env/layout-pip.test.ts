import { expect, setDefaultTimeout } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { type Environment, openEnvironment } from "../../../src/blast/env/environment.ts";
import { applyChanges } from "../../../src/blast/env/transaction.ts";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { openStore } from "../../../src/blast/wheel/store.ts";
import { createRealVenv, needsPip, runPip, snapshotTree } from "../../support/blast-env.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { makeWheel, type WheelSpec } from "../../support/wheel-writer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// pip takes a second or more for each call.
setDefaultTimeout(120_000);

const reason = needsProgram("python3") ?? needsPip();
const testWithPip = testUnless(reason);

const ENTRY_POINTS = `[console_scripts]
plain = plain.cli:main
nested=plain.cli:Tool.run [extra]

# a comment
[gui_scripts]
window = plain.cli:main
[other.group]
no = script:here
`;
const CLI =
  "def main(): print('hello')\nclass Tool:\n  @staticmethod\n  def run(): print('tool')\n";

const WHEELS: readonly WheelSpec[] = [
  {
    name: "plain",
    files: {
      "plain/__init__.py": "",
      "plain/cli.py": CLI,
      'plain/data/x,y "z".txt': "odd name",
      "plain-1.0.dist-info/entry_points.txt": ENTRY_POINTS,
      "plain-1.0.dist-info/licenses/LICENSE": "free",
      "six_like.py": "x = 1\n",
    },
  },
  {
    name: "schemes",
    version: "2.1.post3",
    // Where the archive does not say so pip leaves a script as it is; blast makes it executable.
    executable: ["rewritten", "rewritten-w", "untouched", "binary"].map(
      (name) => `schemes-2.1.post3.data/scripts/${name}`,
    ),
    files: {
      "schemes/ünïcode.py": "",
      "schemes-2.1.post3.data/purelib/pure.py": "p = 1\n",
      "schemes-2.1.post3.data/platlib/plat/__init__.py": "",
      "schemes-2.1.post3.data/headers/sub/a.h": "int a;",
      "schemes-2.1.post3.data/data/share/schemes/readme": "text",
      "schemes-2.1.post3.data/data/etc/conf.d/schemes.conf": "x",
      "schemes-2.1.post3.data/scripts/rewritten": "#!python\nprint('rewritten')\n",
      "schemes-2.1.post3.data/scripts/rewritten-w": "#!pythonw\nprint('w')\n",
      "schemes-2.1.post3.data/scripts/untouched": "#!/bin/sh\necho untouched\n",
      "schemes-2.1.post3.data/scripts/binary": new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0, 255]),
    },
  },
  { name: "space_a", files: { "space/a/__init__.py": "", "space/same.py": "" } },
  { name: "space_b", files: { "space/b/__init__.py": "", "space/c.py": "" } },
];

/** Writes the wheels, and puts them into a store. */
async function prepare(work: Workspace) {
  const store = openStore(work.at("cache"));
  const wheels = [];
  for (const spec of WHEELS) {
    const { filename, bytes, sha256 } = makeWheel(spec);
    const path = work.write(`wheels/${filename}`, bytes);
    const expected = { name: parsePackageName(spec.name ?? "") };
    wheels.push(await store.add(path, { sha256, expected }));
  }
  await store.close();
  return wheels;
}

async function installAll(work: Workspace, environment: Environment): Promise<void> {
  const wheels = await prepare(work);
  const install = wheels.map((wheel, index) => ({ wheel, requested: index < 2 }));
  await applyChanges(environment, { remove: [], install }, { command: "test" });
}

testWithPip("pip lays the same wheels out in the same way", async () => {
  using work = createWorkspace();
  const [ours, theirs] = ["ours", "pips"].map((name) => createRealVenv(work.at(name)));
  if (ours === undefined || theirs === undefined) throw new Error("unreachable");
  await installAll(work, openEnvironment(ours));
  const names = WHEELS.map(({ name = "" }) => name);
  const place = ["--no-index", "--find-links", work.at("wheels")];
  runPip(theirs, "install", "--no-compile", "--no-deps", ...place, ...names);
  // pip marks all that is named; the last two were not asked for here.
  const notAsked = /space_[ab]-1\.0\.dist-info\/REQUESTED$/;
  const comparable = (folder: string): Record<string, string> => {
    const tree = snapshotTree(folder, /^\.blast$|^pyvenv\.cfg$|__pycache__$/);
    const entries = Object.entries(tree).filter(([path]) => !notAsked.test(path));
    return Object.fromEntries(entries.map(([path, content]) => [path, shown(path, content)]));
  };
  const shown = (path: string, content: string): string => {
    const neutral = content.replaceAll(/\/(ours|pips)\//g, "/ENV/");
    if (/^bin\/(plain|nested|window)$/.test(path)) return neutral.split("\n")[0] ?? "";
    if (/\/INSTALLER$|^bin\/[aA]ctivate/.test(path)) return "";
    if (!path.endsWith("/RECORD")) return neutral;
    // Both list the same files; hashes of scripts, INSTALLER and the order may differ.
    const lines = neutral.slice(4).trim().split(/\r?\n/);
    const isOther = /^"?(\.\.\/\.\.\/\.\.\/bin\/|[^/]*\/(INSTALLER|REQUESTED))/;
    const kept = lines.filter((line) => !/\/REQUESTED,/.test(line));
    return kept
      .map((line) => (isOther.test(line) ? line.split(",")[0] : line))
      .sort()
      .join("\n");
  };
  expect(comparable(ours)).toEqual(comparable(theirs));
});

testWithPip("what blast has installed works, and pip removes all of it", async () => {
  using work = createWorkspace();
  const environment = openEnvironment(createRealVenv(work.at("an environment")));
  const before = snapshotTree(environment.root);
  await installAll(work, environment);
  const run = (name: string, ...args: string[]): string => {
    const { stdout, stderr } = Bun.spawnSync([join(environment.paths.scripts, name), ...args]);
    return stdout.toString() + stderr.toString();
  };
  expect(["plain", "nested", "window", "rewritten", "untouched"].map((name) => run(name))).toEqual([
    "hello\n",
    "tool\n",
    "hello\n",
    "rewritten\n",
    "untouched\n",
  ]);
  expect(statSync(join(environment.paths.scripts, "binary")).mode & 0o111).toBe(0o111);
  const listed = JSON.parse(runPip(environment.root, "list", "--format=json")) as object[];
  expect(listed).toEqual([
    { name: "plain", version: "1.0" },
    { name: "schemes", version: "2.1.post3" },
    { name: "space_a", version: "1.0" },
    { name: "space_b", version: "1.0" },
  ]);
  run("python", "-m", "compileall", "-q", environment.paths.purelib);
  const names = WHEELS.map(({ name = "" }) => name);
  runPip(environment.root, "uninstall", "-y", ...names);
  // pip leaves folders that it emptied outside of site-packages, of its own installs as well.
  const left = Object.keys(snapshotTree(environment.root)).filter((path) => !(path in before));
  expect(left.filter((path) => !path.endsWith("/"))).toEqual([]);
  expect(environment.installed()).toEqual([]);
});
