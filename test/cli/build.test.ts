import { expect, test } from "bun:test";
import { copyFileSync, existsSync, readdirSync, readlinkSync } from "node:fs";
import { resolve } from "node:path";
import { runCommand, runTool } from "../support/binary.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

const ROOT = resolve(import.meta.dir, "../..");

/** A project of one line with our build.ts, so that nothing here touches the real dist/. */
function smallProject(): Workspace {
  const work = createWorkspace();
  copyFileSync(resolve(ROOT, "build.ts"), work.at("build.ts"));
  work.write("package.json", '{ "version": "9.8.7" }');
  work.write("bin/install.sh", "#!/bin/sh\n");
  work.write("bin/triad.ts", "console.log(TRIAD_VERSION, TRIAD_COMMIT, await import('../src/a'));");
  work.write("src/a.ts", 'export const a = new URL("./b.worker.ts", import.meta.url).pathname;');
  work.write("src/b.worker.ts", "export {};");
  return work;
}

test("builds for this machine with links, version and commit, and leaves no scratch", async () => {
  using work = smallProject();
  const built = await runCommand([process.execPath, "run", "build.ts"], { cwd: work.path });
  expect(built).toMatchObject({ code: 0, stderr: "" });
  expect(built.stdout).toMatch(/^this machine: dist\/triad {2}\d+\.\d MiB /);
  const files = readdirSync(work.at("dist")).sort();
  expect(files).toEqual(["blast", "blit", "blit-utils", "blitd", "rastos", "triad"]);
  expect(readlinkSync(work.at("dist/blit"))).toBe("triad");
  const shown = await runCommand([work.at("dist/blit")]);
  expect(shown.stdout).toContain("9.8.7 unknown");
  expect(shown.stdout).toContain("/root/b.worker.ts");
});

test("a platform that the registry has not fails alone, and the exit code tells", async () => {
  using work = smallProject();
  const script = '#!/bin/sh\necho "404 Not Found: $2" >&2\nexit 1\n';
  work.write("path/npm", script, { mode: 0o755 });
  const env = { PATH: `${work.at("path")}:${process.env["PATH"]}` };
  const result = await runCommand([process.execPath, "run", "build.ts", "--all"], {
    cwd: work.path,
    env,
  });
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("error: Cannot build for darwin-arm64");
  expect(result.stderr).toContain(`404 Not Found: @oven/bun-darwin-aarch64@${Bun.version}`);
  expect(result.stderr).toContain("error: 7 of 7 platforms failed");
  expect(existsSync(work.at("dist/darwin-arm64"))).toBe(false);
});

test("an unknown platform is a usage error that names the known ones", async () => {
  using work = smallProject();
  const result = await runCommand([process.execPath, "run", "build.ts", "amiga"], {
    cwd: work.path,
  });
  expect(result.code).toBe(2);
  expect(result.stderr).toContain('error: Cannot build "amiga"');
  expect(result.stderr).toContain("linux-x64-musl");
});

test("the executable runs no code and reads no settings of the folder it is in", async () => {
  using work = createWorkspace();
  work.write("bunfig.toml", 'preload = ["./evil.ts"]\n');
  work.write("evil.ts", 'console.log("evil"); process.exit(66);\n');
  work.write(".env", "FORCE_COLOR=3\nBLIT_EVIL=1\n");
  work.write("package.json", '{ "type": "commonjs", "imports": { "#x": "./evil.ts" } }');
  for (const args of [["--version"], ["--help"]]) {
    const here = await runTool("blit", args, { cwd: work.path });
    const elsewhere = await runTool("blit", args, { cwd: "/" });
    expect(here).toEqual(elsewhere);
    expect(here.code).toBe(0);
    expect(here.stdout).not.toContain("evil");
    expect(here.stdout).not.toContain("\u001b[");
  }
});
