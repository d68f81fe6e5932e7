/** `blast start` where no shell is changed: what it makes, says and refuses. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { listEnvironments } from "../../../src/blast/env/registry.ts";
import { blastHome } from "../../support/blast-home.ts";
import { fakePython } from "../../support/fake-python.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const TIMEOUT_MS = 60_000;

test(
  "without a terminal: the environment is made, listed and allowed, and that is all",
  async () => {
    using work = createWorkspace();
    const home = await blastHome(work);
    const cwd = work.folder("my project/inner");
    work.write("my project/blast.toml", '[env]\nname = "shown"\n');
    const { code, stdout, stderr } = await home.blast(["start"], { cwd });
    const venv = work.at("my project/.venv");
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(
      /^Made \/.*\/my project\/\.venv "shown" with Python 3\.12\.1 in [\d.]+ s\n$/,
    );
    expect(readFileSync(`${venv}/pyvenv.cfg`, "utf8")).toContain("prompt = shown\n");
    expect(home.allowed()).toBe(`${work.at("my project")}\n`);
    expect(listEnvironments(home.env)).toMatchObject([
      { path: venv, name: "shown", project: work.at("my project"), state: "ready" },
    ]);
    const again = await home.blast(["start", "--json"], { cwd });
    expect(JSON.parse(again.stdout)).toEqual({
      schema: "blast.start/1",
      name: "shown",
      environment: venv,
      project: work.at("my project"),
      created: false,
      python: {
        version: "3.12.1",
        path: work.at("python/bin/python3"),
        executable: `${venv}/bin/python`,
      },
    });
  },
  TIMEOUT_MS,
);

test(
  "a name given later is the environment's from then on",
  async () => {
    using work = createWorkspace();
    const home = await blastHome(work);
    const cwd = work.folder("project");
    const nameAfter = async (...args: string[]): Promise<unknown> =>
      JSON.parse((await home.blast(["start", "--json", ...args], { cwd })).stdout).name;
    expect(await nameAfter()).toBe("project");
    expect(await nameAfter("second")).toBe("second");
    expect(await nameAfter("--name", "third one")).toBe("third one");
    expect(await nameAfter()).toBe("third one");
    expect(readFileSync(`${cwd}/.venv/bin/activate`, "utf8")).toContain("'third one'");
    const both = await home.blast(["start", "a", "--name", "b"], { cwd });
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('both "a" and "b"')]);
  },
  TIMEOUT_MS,
);

test(
  "another Python makes it anew; another tool's environment is left alone",
  async () => {
    using work = createWorkspace();
    const home = await blastHome(work);
    const other = fakePython(work, "home/.pyenv/versions/3.73.1", { version: "3.73.1" });
    const cwd = work.folder("project");
    expect((await home.blast(["start"], { cwd })).code).toBe(0);
    work.write("project/.venv/lib/python3.12/site-packages/x.py", "");
    const same = await home.blast(["start", "--python", "3.12"], { cwd });
    expect([same.code, existsSync(`${cwd}/.venv/lib/python3.12/site-packages/x.py`)]).toEqual([
      0,
      true,
    ]);
    const anew = await home.blast(["start", "--python", "3.73"], { cwd });
    expect([anew.code, readlinkSync(`${cwd}/.venv/bin/python`)]).toEqual([0, other]);
    expect(anew.stderr).toContain(`Made .venv "project" with Python 3.73.1`);
    expect(anew.stderr).toContain(`"${cwd}/.venv" has Python 3.12.1: the environment is made anew`);
    const config = readFileSync(`${cwd}/.venv/pyvenv.cfg`, "utf8");
    work.write("project/.venv/pyvenv.cfg", config.replace(/^blast = .*\n/m, ""));
    const refused = await home.blast(["start", "--python", "3.12"], { cwd });
    expect([refused.code, refused.stderr]).toEqual([
      1,
      `error: Cannot use "${cwd}/.venv" with Python "3.12": it has Python 3.73.1, ` +
        "and another tool made it\n" +
        "hint: remove it, and blast makes one; or leave --python away\n",
    ]);
  },
  TIMEOUT_MS,
);

test(
  "an environment that has lost its Python is made anew",
  async () => {
    using work = createWorkspace();
    const home = await blastHome(work);
    const cwd = work.folder("project");
    const gone = fakePython(work, "home/.pyenv/versions/3.73.1", { version: "3.73.1" });
    expect((await home.blast(["start", "--python", gone], { cwd })).code).toBe(0);
    rmSync(work.at("home/.pyenv"), { recursive: true });
    const { code } = await home.blast(["start"], { cwd });
    expect([code, readlinkSync(`${cwd}/.venv/bin/python`)]).toEqual([
      0,
      work.at("python/bin/python3"),
    ]);
  },
  TIMEOUT_MS,
);

test(
  "another tool's environment that has lost its Python is not thrown away",
  async () => {
    using work = createWorkspace();
    const home = await blastHome(work);
    const cwd = work.folder("project");
    const gone = fakePython(work, "home/.pyenv/versions/3.73.1", { version: "3.73.1" });
    expect((await home.blast(["start", "--python", gone], { cwd })).code).toBe(0);
    const config = `${cwd}/.venv/pyvenv.cfg`;
    work.write(
      "project/.venv/pyvenv.cfg",
      readFileSync(config, "utf8").replace(/^blast.*\n/gm, ""),
    );
    work.write("project/.venv/src/mine/code.py", "work");
    rmSync(work.at("home/.pyenv"), { recursive: true });
    for (const args of [["start"], ["sync"], ["run", "true"]]) {
      const { code, stderr } = await home.blast(args, { cwd });
      expect([args[0], code]).toEqual([args[0], 1]);
      expect(stderr).toContain("its Python is gone or was upgraded, and another tool made it");
    }
    expect(existsSync(`${cwd}/.venv/src/mine/code.py`)).toBe(true);
    rmSync(`${cwd}/.venv`, { recursive: true });
    expect((await home.blast(["start"], { cwd })).code).toBe(0);
  },
  TIMEOUT_MS,
);

test(
  "an environment whose Python fails stays, and serves again when that is in order",
  async () => {
    using work = createWorkspace();
    const home = await blastHome(work);
    const cwd = work.folder("project");
    const own = fakePython(work, "home/.pyenv/versions/3.73.1", { version: "3.73.1" });
    expect((await home.blast(["start", "--python", own], { cwd })).code).toBe(0);
    work.write("project/.venv/lib/python3.73/site-packages/mine.py", "");
    const text = readFileSync(own, "utf8");
    work.write(
      "home/.pyenv/versions/3.73.1/bin/python3",
      "#!/bin/sh\necho no libc >&2; exit 127\n",
    );
    for (const args of [["start"], ["sync"], ["run", "true"], ["list"]]) {
      const { code, stderr } = await home.blast(args, { cwd });
      expect([args[0], code]).toEqual([args[0], 1]);
      expect(stderr).toContain(`its Python "${own}" fails: it does not answer: no libc`);
      expect(stderr).toContain("remove the environment");
    }
    work.write("home/.pyenv/versions/3.73.1/bin/python3", text);
    expect((await home.blast(["start"], { cwd })).stderr).toContain("Ready:");
    expect(existsSync(`${cwd}/.venv/lib/python3.73/site-packages/mine.py`)).toBe(true);
  },
  TIMEOUT_MS,
);

test.each([
  [["start", "--path", "nowhere"], 1, "there is no such folder"],
  [["start", "-e", "A"], 2, 'Cannot set the variable "A"'],
  [["start", "-e", "PATH=/x"], 2, 'Cannot set the variable "PATH"'],
  [["start", ""], 2, 'Cannot name the environment ""'],
  [["start", "--python", "3.99"], 1, "Cannot find Python 3.99 (asked for by --python)"],
  [["start", "--python", "ruby>=3"], 2, 'Cannot understand the Python "ruby>=3"'],
] as const)("%j ends with %d", async (args, code, says) => {
  using work = createWorkspace();
  const home = await blastHome(work);
  const cwd = work.folder("project");
  const ran = await home.blast(args, { cwd });
  expect([ran.code, ran.stderr]).toEqual([code, expect.stringContaining(says)]);
  expect(existsSync(`${cwd}/.venv`)).toBe(false);
});

for (const shell of ["bash", "zsh", "fish"] as const) {
  testUnless(needsProgram(shell))(
    `an environment that lies elsewhere is activated by cd too: ${shell}`,
    async () => {
      using work = createWorkspace();
      const home = await blastHome(work);
      const cwd = work.folder("project");
      work.write("project/blast.toml", '[env]\npath = "../envs/odd \\\\d [x]"\n');
      expect((await home.blast(["start"], { cwd })).code).toBe(0);
      await using session = home.shell(shell, { cwd: work.path });
      await session.shows("ready> ");
      await session.run("cd project");
      expect((await session.environment()).get("VIRTUAL_ENV")).toBe(work.at("envs/odd \\d [x]"));
      await session.run("cd ..");
      expect((await session.environment()).has("VIRTUAL_ENV")).toBe(false);
    },
    TIMEOUT_MS,
  );
}
