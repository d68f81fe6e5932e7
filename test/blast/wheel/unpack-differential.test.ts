import { expect, setDefaultTimeout } from "bun:test";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import fc from "fast-check";
import { parseWheelName } from "../../../src/blast/pep/wheel-name.ts";
import { openStore } from "../../../src/blast/wheel/store.ts";
import { MemberReader, openZip } from "../../../src/blast/wheel/zip.ts";
import { needsOraclePython, oraclePython } from "../../support/python-tools.ts";
import { firstReason, needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { sourceOf } from "../../support/zip-source.ts";

setDefaultTimeout(600_000);

/**
 * A folder of wheels to compare with as well, such as one that `pip download` has filled; without
 * it the wheels that come with the machine's own Python are taken.
 */
const realWheels = process.env["TRIAD_REAL_WHEELS"];

/** Every file below a folder with its permission bits and digest. */
function describeTree(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => lstatSync(join(folder, path)).isFile())
    .map((path) => {
      const digest = new Bun.CryptoHasher("sha256").update(readFileSync(join(folder, path)));
      const mode = lstatSync(join(folder, path)).mode & 0o111 ? "x" : "-";
      return `${path} ${mode} ${digest.digest("hex")}`;
    })
    .sort();
}

function python(program: string, source: string, ...args: string[]): string {
  const run = Bun.spawnSync([program, "-c", source, ...args], { stderr: "pipe" });
  expect(run.stderr.toString()).toBe("");
  return run.stdout.toString();
}

function wheelsHere(): string[] {
  if (realWheels !== undefined) {
    const names = readdirSync(realWheels).filter((name) => name.endsWith(".whl"));
    return names.map((name) => join(realWheels, name));
  }
  // Where ensurepip keeps its wheels; Debian has a folder of its own for them.
  const source = `
import os, sysconfig
try:
    import ensurepip
    print(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"))
except ImportError:
    pass
print("/usr/share/python-wheels")`;
  const folders = Bun.spawnSync(["python3", "-c", source]).stdout.toString().trim().split("\n");
  return folders.filter(existsSync).flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".whl"))
      .map((name) => join(folder, name)),
  );
}

function needsWheels(): string | undefined {
  const reason = needsProgram("python3");
  return reason ?? (wheelsHere().length === 0 ? "needs wheels that come with Python" : undefined);
}

/** Unpacks as pip does: by zipfile, with the executable bits of the archive. */
const unzip = `
import os, stat, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    archive.extractall(sys.argv[2])
    for info in archive.infolist():
        mode = info.external_attr >> 16
        if not info.is_dir() and mode and mode & 0o111:
            path = os.path.join(sys.argv[2], info.filename)
            os.chmod(path, 0o755)`;

testUnless(needsWheels())("real wheels have the tree that Python unpacks", async () => {
  const wheels = wheelsHere();
  expect(wheels.length).toBeGreaterThan(0);
  using work = createWorkspace();
  const store = openStore(work.at("cache"));
  for (const [index, path] of wheels.entries()) {
    const { name, version } = parseWheelName(basename(path));
    const wheel = await store.add(path, { expected: { name, version } });
    python("python3", unzip, path, work.at(`${index}`));
    expect([path, ...describeTree(wheel.folder)]).toEqual([
      path,
      ...describeTree(work.at(`${index}`)),
    ]);
    expect(wheel.files.length).toBe(describeTree(wheel.folder).length);
  }
});

const validate = `
import sys
from installer.sources import WheelFile
for path in sys.argv[1:]:
    with WheelFile.open(path) as source:
        source.validate_record()
        for (name, digest, size), stream, executable in source.get_contents():
            print(name, digest.split("=")[1] if digest else "", "x" if executable else "-")`;

testUnless(firstReason(needsOraclePython(), needsWheels()))(
  "the installer library finds the same files and hashes",
  async () => {
    using work = createWorkspace();
    const store = openStore(work.at("cache"));
    for (const path of wheelsHere()) {
      const wheel = await store.add(path, { expected: parseWheelName(basename(path)) });
      const theirs = python(oraclePython() ?? "", validate, path)
        .trim()
        .split("\n");
      const ours = wheel.files.map(({ path: name, sha256, executable }) => {
        const isRecord = name === `${wheel.distInfo}/RECORD`;
        return `${name} ${isRecord ? "" : sha256} ${executable ? "x" : "-"}`;
      });
      expect(ours.sort()).toEqual(theirs.sort());
    }
  },
);

/** Writes archives as JSON describes them, each into the folder under its number. */
const write = `
import base64, json, os, sys, zipfile
for index, members in enumerate(json.load(sys.stdin)):
    with zipfile.ZipFile(os.path.join(sys.argv[1], str(index)), "w") as archive:
        for member in members:
            info = zipfile.ZipInfo(member["name"])
            info.external_attr = member["mode"] << 16
            info.compress_type = zipfile.ZIP_DEFLATED if member["deflate"] else zipfile.ZIP_STORED
            with archive.open(info, "w", force_zip64=member["large"]) as file:
                file.write(base64.b64decode(member["content"]))`;

const member = fc.record({
  name: fc.stringMatching(/^[a-zäδ 漢][a-z0-9äδ_ 漢]{0,20}(\/[a-z0-9]{1,5}){0,4}$/u),
  mode: fc.constantFrom(0o100644, 0o100755, 0o100600),
  deflate: fc.boolean(),
  large: fc.boolean(),
  content: fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes).toString("base64")),
});
// No name may be a folder of another one: zipfile would write that, nobody can unpack it.
const members = fc.uniqueArray(member, {
  maxLength: 12,
  selector: ({ name }) => name.split("/")[0]?.normalize(),
});

testUnless(needsProgram("python3"))("archives that Python's zipfile writes are read so", () => {
  using work = createWorkspace();
  const archives = fc.sample(members, Number(process.env["TRIAD_FUZZ_RUNS"] ?? 200));
  const run = Bun.spawnSync(["python3", "-c", write, work.path], {
    stdin: Buffer.from(JSON.stringify(archives)),
    stderr: "pipe",
  });
  expect(run.stderr.toString()).toBe("");
  for (const [index, expected] of archives.entries()) {
    const source = sourceOf(readFileSync(work.at(`${index}`)));
    const reader = new MemberReader(source);
    const found = openZip(source).members.map((each) => ({
      name: each.path,
      mode: each.mode,
      content: Buffer.from(reader.bytes(each)).toString("base64"),
    }));
    expect(found).toEqual(expected.map(({ name, mode, content }) => ({ name, mode, content })));
  }
});
