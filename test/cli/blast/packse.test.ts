/**
 * The scenarios of packse, and random universes with an exhaustive search as their oracle, against
 * the compiled executable. TRIAD_PACKSE_FUZZ: how many universes (40 by default).
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { binaryPath, runCommand } from "../../support/binary.ts";
import { needsPackse } from "../../support/packse.ts";
import { needsOraclePython, oraclePython } from "../../support/python-tools.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { firstReason, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const UNIVERSES = Number(process.env["TRIAD_PACKSE_FUZZ"] ?? 40);
const SEED = Number(process.env["TRIAD_PACKSE_SEED"] ?? 5);
const SHARED = resolve(import.meta.dir, "../../../../shared");
const SCRIPT = join(SHARED, "tools/packse_index.py");
/** How many scenarios may run at a time. */
const LANES = 2;
const TIMEOUT_MS = 300_000 + UNIVERSES * 2_000;
setDefaultTimeout(TIMEOUT_MS);

const PYTHONS = findPythons();
const reason = firstReason(
  needsPackse(),
  needsOraclePython(),
  PYTHONS["PACKSE_PYTHON_3_12"] === undefined
    ? "needs Python 3.12, as the scenarios do"
    : undefined,
);
const testScenarios = testUnless(reason);

test("the scenarios' script is there where the scenarios are", () => {
  expect(existsSync(SCRIPT)).toBe(needsPackse() === undefined);
});

/** How the script calls blast. */
async function tool(work: Workspace): Promise<string> {
  const blast = await binaryPath("blast");
  const compile = [blast, "compile", "-q", "--no-header", "--no-annotate", "--python", "{python}"];
  const index = ["--index-url", "{index}", "{flags}"];
  const spec = {
    install: [blast, "install", "--python", "{venv}/bin/python", ...index, "{requires}"],
    compile: [...compile, ...index, "{requires_file}"],
    universal: [
      ...compile,
      "--universal",
      "--python-version",
      "{lower}",
      ...index,
      "{requires_file}",
    ],
    flags: {
      prereleases: ["--pre"],
      no_binary: ["--no-binary", "{v}"],
      no_build: ["--only-binary", "{v}"],
      python: ["--python-version", "{v}"],
      python_platform: ["--python-platform", "{v}"],
    },
    env: { HOME: work.folder("home"), PIP_CONFIG_FILE: "/dev/null" },
  };
  return work.write("blast.json", JSON.stringify(spec));
}

/** Interpreters as the script is told of them: pyenv's, else those of PATH that work. */
function findPythons(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const minor of [7, 8, 9, 10, 11, 12, 13, 14]) {
    const folder = join(process.env["HOME"] ?? "/", ".pyenv/versions");
    const pattern = new Bun.Glob(`3.${minor}.*/bin/python`);
    const own = existsSync(folder) ? [...pattern.scanSync({ cwd: folder, onlyFiles: false })] : [];
    const path = own[0] === undefined ? Bun.which(`python3.${minor}`) : join(folder, own[0]);
    if (path === null || !Bun.spawnSync([path, "-c", ""]).success) continue;
    found[`PACKSE_PYTHON_3_${minor}`] = path;
  }
  return found;
}

async function script(...args: string[]): Promise<{ code: number; output: string }> {
  const python = oraclePython() ?? "python3";
  const run = await runCommand([python, SCRIPT, ...args], {
    env: PYTHONS,
    timeoutMs: TIMEOUT_MS,
  });
  return { code: run.code, output: run.stdout + run.stderr };
}

/** Checks all that was generated, in several processes. */
async function check(work: Workspace): Promise<string> {
  const spec = await tool(work);
  const all = Object.entries(await Bun.file(work.at("index/expected.json")).json());
  const runs = Array.from({ length: LANES }, async (_, lane) => {
    const mine = all.filter((_entry, at) => at % LANES === lane);
    const folder = work.folder(`lane${lane}`);
    for (const [name] of mine) symlinkSync(work.at("index", name), join(folder, name));
    work.write(`lane${lane}/expected.json`, JSON.stringify(Object.fromEntries(mine)));
    return await script("check", folder, "--tool", spec);
  });
  const done = await Promise.all(runs);
  const output = done.map((run) => run.output).join("");
  expect(output).not.toContain("FAIL");
  expect([done.map(({ code }) => code), output]).toEqual([done.map(() => 0), output]);
  return output;
}

/** The sum of a figure over all lanes. */
function figure(output: string, name: string): number {
  const found = output.matchAll(new RegExp(`'${name}': (\\d+)`, "g"));
  return [...found].reduce((sum, [, digits]) => sum + Number(digits), 0);
}

testScenarios("packse: no scenario fails", async () => {
  using work = createWorkspace(secondFilesystem());
  const made = await script("gen", join(SHARED, "packse"), work.at("index"));
  expect([made.code, made.output]).toEqual([0, expect.stringContaining("scenarios")]);
  const output = await check(work);
  const total = Number(/^(\d+) scenarios/.exec(made.output)?.[1]);
  const ok = ["install", "compile", "universal"].map((mode) => figure(output, `${mode} ok`));
  for (const count of ok) expect(count).toBeGreaterThan(0);
  // Two ask for a Python that is hardly anywhere, or for what only a project can say.
  expect(ok.reduce((sum, count) => sum + count) + figure(output, "skipped")).toBe(total);
  expect(figure(output, "skipped")).toBeLessThanOrEqual(total / 10);
});

testScenarios(`${UNIVERSES} random universes: as the exhaustive search has it`, async () => {
  using work = createWorkspace(secondFilesystem());
  await script("fuzz", String(UNIVERSES), String(SEED), work.at("index"));
  expect(figure(await check(work), "install ok")).toBe(UNIVERSES);
});
