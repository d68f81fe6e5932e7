/** The entry as a user meets it: the compiled executable, its names, its pipes. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { binaryPath, runCommand, runTool } from "../support/binary.ts";

let triad = "";
beforeAll(async () => {
  triad = await binaryPath("triad");
}, 120_000);

const VERSION =
  /^(\S+) \d+\.\d+\.\d+ \(commit (?:[0-9a-f]{12}|unknown), Bun 1\.\d+\.\d+, linux-\w+\)\n$/;

test.each(["triad", "blit", "blit-utils", "blitd", "blast", "rastos"] as const)(
  "%s --version",
  async (name) => {
    const { code, stdout, stderr } = await runTool(name, ["--version"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(VERSION.exec(stdout)?.[1]).toBe(name);
  },
);

test("a name by symlink and a name as subcommand are the same", async () => {
  for (const argv of [
    ["--version"],
    ["list", "--json", "package.json"],
    ["cpoy"],
    ["copy", "-h"],
    [],
  ]) {
    const direct = await runTool("blit", argv);
    const nested = await runTool("triad", ["blit", ...argv]);
    const asDirect = (text: string): string => text.replaceAll("triad blit", "blit");
    expect({ ...nested, stdout: asDirect(nested.stdout), stderr: asDirect(nested.stderr) }).toEqual(
      direct,
    );
  }
});

test("--version is the same by the short way and by the parser, and as JSON", async () => {
  const plain = await runTool("blit", ["--version"]);
  expect(await runTool("blit", ["copy", "--version", "-q"])).toEqual(plain);
  const json = JSON.parse((await runTool("blit", ["--version", "--json"])).stdout);
  expect(json).toMatchObject({ schema: "triad.version/1", name: "blit" });
  expect(plain.stdout).toContain(json.commit);
});

describe("pipes", () => {
  const shell = (script: string, ...args: string[]) =>
    runCommand(["bash", "-c", script, "bash", triad, ...args]);

  test("a reader that leaves early ends the command quietly, with exit code 0", async () => {
    const script =
      'set -o pipefail; "$1" blit list --json $(yes "$2" | head -20000) | head -1; echo $?';
    const { stdout, stderr } = await shell(script, "package.json");
    expect(stderr).toBe("");
    expect(stdout.split("\n")[1]).toBe("0");
  });

  test("a non-blocking pipe with a slow reader loses nothing", async () => {
    const script = `
      exec 3> >(sleep 0.3; wc -l)
      python3 -c 'import fcntl, os; fcntl.fcntl(3, fcntl.F_SETFL, os.O_NONBLOCK)'
      "$1" blit list --json $(yes "$2" | head -3000) >&3; echo "exit $?"
      exec 3>&-; wait $!`;
    const { stdout } = await shell(script, "package.json");
    expect(stdout).toBe("exit 0\n3000\n");
  });

  test("a full disk on stdout is told, with exit code 1", async () => {
    const { code, stderr } = await shell('"$1" blit list >/dev/full');
    expect([code, stderr]).toEqual([
      1,
      "error: Cannot write to standard output: no space left on device\n",
    ]);
  });

  test("closed descriptors do not crash it", async () => {
    const { code } = await shell('"$1" blit list 2>&- >/dev/null');
    expect(code).toBe(0);
    expect((await shell('"$1" blit cpoy 2>&-')).code).toBe(2);
    // Bun itself puts /dev/null in the place of a closed stdout.
    expect((await shell('"$1" blit list >&-')).code).toBe(0);
  });
});

test("a name that is no UTF-8 comes in from the command line byte by byte", async () => {
  const folder = mkdtempSync(join(tmpdir(), "entry-"));
  try {
    const name = Buffer.from(`${folder}/bad\u00ff\u00fe`, "latin1");
    writeFileSync(name, "x");
    const script = `"$1" blit list --json $'${folder}/bad\\xff\\xfe'`;
    const { code, stdout } = await runCommand(["bash", "-c", script, "bash", triad]);
    expect(code).toBe(0);
    expect(Buffer.from(JSON.parse(stdout).pathBytes, "base64").equals(name)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("triad links makes the names callable", async () => {
  const folder = mkdtempSync(join(tmpdir(), "entry-"));
  try {
    expect((await runTool("triad", ["links", folder])).code).toBe(0);
    expect(readlinkSync(join(folder, "blit"))).toBe(triad);
    const { stdout } = await runCommand([join(folder, "blit"), "--version"]);
    expect(stdout).toStartWith("blit ");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a bunfig.toml or .env in the caller's folder has no say", async () => {
  const folder = mkdtempSync(join(tmpdir(), "entry-"));
  try {
    writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
    writeFileSync(join(folder, "evil.ts"), 'console.log("evil");\n');
    writeFileSync(join(folder, ".env"), "FORCE_COLOR=1\n");
    const { stdout, stderr } = await runTool("blit", ["cpoy"], { cwd: folder });
    expect(stdout + stderr).toBe(
      'error: Unknown command "cpoy" for "blit"\nhint: did you mean "blit copy"?\n',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
