import { expect, test } from "bun:test";
import { cpSync, symlinkSync } from "node:fs";
import { resolve } from "node:path";
import { runCommand } from "../support/binary.ts";
import { needsProgram, testUnless } from "../support/skip.ts";
import { createWorkspace } from "../support/workspace.ts";

const ROOT = resolve(import.meta.dir, "../..");
const SCRIPTS = ["bin/ensure-bun", "bin/install.sh", "bin/quickstart", "bin/test", ".ci/run"];
const WANTED = "1.2.3";

testUnless(needsProgram("shellcheck"))(
  "shellcheck finds nothing in the set-up scripts",
  async () => {
    const result = await runCommand(["shellcheck", ...SCRIPTS], { cwd: ROOT });
    expect(result).toEqual({ code: 0, stdout: "", stderr: "" });
  },
);

/** A project that wants Bun 1.2.3, with a PATH of basic tools and the given scripts only. */
async function ensureBun(scripts: Record<string, string>, fetched?: string) {
  using work = createWorkspace();
  work.folder("bin");
  cpSync(resolve(ROOT, "bin/ensure-bun"), work.at("bin/ensure-bun"));
  work.write("package.json", `{\n  "packageManager": "bun@${WANTED}"\n}\n`);
  const fake = (version: string) => `#!/bin/sh\necho ${version}\n`;
  if (fetched !== undefined) {
    work.write(".tools/node_modules/@oven/bun-linux-x64/bin/bun", fake(fetched), { mode: 0o755 });
  }
  work.folder("path");
  for (const tool of ["sh", "dirname", "sed", "mkdir", "chmod", "cat"]) {
    symlinkSync(Bun.which(tool) ?? "", work.at("path", tool));
  }
  for (const [name, body] of Object.entries({ id: "echo 1000", ...scripts })) {
    work.write(`path/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  const result = await runCommand(["/bin/sh", work.at("bin/ensure-bun")], {
    env: { PATH: work.at("path") },
  });
  return { ...result, stdout: result.stdout.replaceAll(work.path, "ROOT") };
}

test("Bun in PATH is taken when its version is right", async () => {
  const result = await ensureBun({ bun: `echo ${WANTED}` });
  expect(result).toEqual({ code: 0, stdout: "ROOT/path/bun\n", stderr: "" });
});

test("a fetched Bun is taken before another version in PATH", async () => {
  const result = await ensureBun({ bun: "echo 0.1.0" }, WANTED);
  const path = "ROOT/.tools/node_modules/@oven/bun-linux-x64/bin/bun\n";
  expect(result).toEqual({ code: 0, stdout: path, stderr: "" });
});

test("npm fetches the platform's package, without install scripts", async () => {
  const npm = `
echo "npm $*" >&2
folder=$3/node_modules/@oven/bun-any/bin
mkdir -p "$folder"
printf '#!/bin/sh\\necho ${WANTED}\\n' >"$folder/bun"
chmod +x "$folder/bun"`;
  const result = await ensureBun({ npm }, "0.1.0");
  expect(result.stdout).toBe("ROOT/.tools/node_modules/@oven/bun-any/bin/bun\n");
  expect(result.stderr).toContain("--ignore-scripts");
  expect(result.stderr).toContain(`bun@${WANTED}`);
});

test("what is missing is said: no npm, a failing npm, a Bun that does not run", async () => {
  const without = await ensureBun({});
  expect(without).toMatchObject({ code: 1, stdout: "" });
  expect(without.stderr).toContain(`error: Cannot fetch Bun ${WANTED}: no npm in PATH\nhint: `);
  const failing = await ensureBun({ npm: "exit 1" });
  expect(failing.code).toBe(1);
  expect(failing.stderr).toContain(`error: Cannot fetch Bun ${WANTED}: npm failed`);
  const useless = await ensureBun({ npm: "exit 0" });
  expect(useless.code).toBe(1);
  expect(useless.stderr).toContain("none of its binaries runs on this machine");
});
