/** What compile and export print for packages that are named by place, end to end. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { runCommand } from "../../support/binary.ts";
import { type BlastWorld, basePython, blastWorld } from "../../support/blast-world.ts";
import { buildTree } from "../../support/build-tree.ts";
import { tarBytes } from "../../support/tar-bytes.ts";

setDefaultTimeout(120_000);

/** An archive with the project in a folder of it. */
function monorepo(): Buffer {
  const files = Object.entries(buildTree({ hooks: ["build_wheel"] }));
  return Buffer.from(
    gzipSync(
      tarBytes(files.map(([path, content]) => ({ path: `mono/packages/demo/${path}`, content }))),
    ),
  );
}

function offerMonorepo({ index }: BlastWorld): string {
  const bytes = monorepo();
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const file = { filename: "mono.tar.gz", bytes, sha256, metadata: "", kind: "sdist" as const };
  index.addFile("mono", file);
  return index.fileUrl(file);
}

/** What pip installs of a file of requirements, in the project's folder; in a new environment. */
async function pipInstalls(world: BlastWorld, file: string): Promise<Record<string, string>> {
  const target = world.work.at(`pip-${file}/.venv`);
  await world.ok("start", "--path", world.work.folder(`pip-${file}`));
  const run = await runCommand(
    [
      ...[basePython(), "-m", "pip", "--python", join(target, "bin/python"), "install"],
      ...["--no-deps", "--no-build-isolation", "-r", file],
    ],
    { cwd: world.project, env: { ...world.env, PIP_DISABLE_PIP_VERSION_CHECK: "1" } },
  );
  expect([run.code, run.stderr]).toEqual([0, ""]);
  return world.installed(target);
}

test("the folder in an archive is printed with its address", async () => {
  await using world = await blastWorld();
  const url = offerMonorepo(world);
  const line = `demo @ ${url}#subdirectory=packages/demo`;
  world.write("requirements.in", `${line}\n`);
  const compiled = await world.ok("compile", "--no-header", "--no-annotate", "requirements.in");
  expect(compiled.stdout).toBe(`${line}\n`);
  world.write("blast.toml", `[packages]\ndependencies = ["${line}"]\n`);
  await world.ok("lock");
  await world.ok("export", "--no-hashes", "-o", "out.txt");
  expect(world.read("out.txt")).toBe(`# Made by blast from pylock.toml\n${line}\n`);
  expect(await pipInstalls(world, "out.txt")).toEqual({ demo: "1.0" });
});

test("files and folders of this machine are lines that pip takes", async () => {
  await using world = await blastWorld();
  const archive = world.work.write("wheels/mono.tar.gz", monorepo());
  mkdirSync(join(world.project, "dist"));
  copyFileSync(archive, join(world.project, "dist/mono.tar.gz"));
  const [lib] = world.index.add({ name: "lib" });
  writeFileSync(join(world.project, "dist", lib?.filename ?? ""), lib?.bytes ?? "");
  for (const [path, text] of Object.entries(buildTree({ name: "tree" }))) {
    mkdirSync(dirname(join(world.project, "tree", path)), { recursive: true });
    writeFileSync(join(world.project, "tree", path), text);
  }
  const mono = Bun.pathToFileURL(join(world.project, "dist/mono.tar.gz")).href;
  world.write(
    "blast.toml",
    `
    [packages]
    dependencies = [
      "lib @ ${Bun.pathToFileURL(join(world.project, "dist", lib?.filename ?? "")).href}",
      "demo @ ${mono}#subdirectory=packages/demo",
      "tree @ ${Bun.pathToFileURL(join(world.project, "tree")).href}",
    ]
    `,
  );
  await world.ok("lock");
  await world.ok("export", "--no-hashes", "-o", "out.txt");
  expect(world.read("out.txt").split("\n").slice(1, -1)).toEqual([
    `demo @ ${mono}#subdirectory=packages/demo`,
    `./dist/${lib?.filename}`,
    "./tree",
  ]);
  expect(await pipInstalls(world, "out.txt")).toEqual({ demo: "1.0", lib: "1.0", tree: "1.0" });
});
