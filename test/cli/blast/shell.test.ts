/** The shell integration in real shells on a pseudo-terminal. */
import { describe, expect, test } from "bun:test";
import { chownSync, existsSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import { type BlastHome, blastHome, type TestShell } from "../../support/blast-home.ts";
import type { ShellSession } from "../../support/shell-session.ts";
import {
  describeUnless,
  firstReason,
  needsProgram,
  needsRoot,
  testUnless,
} from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const TIMEOUT_MS = 60_000;
const ODD = `a "b" 'c' $(touch pwned) \`id\` \\d !e %n ;g`;

/** Variables that every shell changes by itself. */
const RESTLESS = new Set(["_", "OLDPWD", "PWD", "SHLVL"]);

async function variables(shell: ShellSession): Promise<Record<string, string>> {
  const all = [...(await shell.environment())].filter(([name]) => !RESTLESS.has(name));
  return Object.fromEntries(all);
}

/** The environment's name in the last prompt; undefined: none is shown. */
async function prompt(shell: ShellSession): Promise<string | undefined> {
  const shown = await shell.run("true");
  const last = shown.split("ready> ").at(-2)?.split("\n").at(-1) ?? "";
  return /\(blast (.*)\) $/.exec(last)?.[1];
}

/** An environment that lies in a folder and was never started there. */
function foreignVenv(work: Workspace, folder: string, name = "foreign"): void {
  work.write(`${folder}/.venv/pyvenv.cfg`, `home = /usr/bin\nprompt = ${name}\n`);
  work.write(`${folder}/.venv/bin/python`, "#!/bin/sh\n", { mode: 0o755 });
}

async function started(
  work: Workspace,
  name: TestShell,
  options: Parameters<BlastHome["shell"]>[1] = {},
): Promise<ShellSession & { readonly home: BlastHome }> {
  const home = await blastHome(work);
  const shell = home.shell(name, options);
  await shell.shows("ready> ");
  return { ...shell, home };
}

for (const name of ["bash", "zsh", "fish"] as const) {
  describeUnless(needsProgram(name))(name, () => {
    test(
      "a variable may have any name, that of a local of the integration as well",
      async () => {
        using work = createWorkspace();
        const names = ["base", "code", "folder", "level", "n", "name", "names", "rest", "state"];
        const more = [...names, "top", "value", "venv", "who", "word"];
        await using shell = await started(work, name, { cwd: work.folder("project") });
        const before = await variables(shell);
        await shell.run(`blast start ${more.map((one) => `-e ${one}=of-mine`).join(" ")}`);
        const during = await variables(shell);
        expect(more.filter((one) => during[one] !== "of-mine")).toEqual([]);
        await shell.run("deactivate");
        expect(await variables(shell)).toEqual(before);
      },
      TIMEOUT_MS,
    );

    test(
      "start changes the shell, kill gives everything back byte for byte",
      async () => {
        using work = createWorkspace();
        const project = work.folder("my project");
        await using shell = await started(work, name, {
          cwd: project,
          env: {
            PYTHONPATH: "/a b::/c\u00e4'\"$x\n/d ",
            PYTHONHOME: "/nowhere ",
            VIRTUAL_ENV_PROMPT: "",
            KEPT: "as \\ it 'is'",
          },
        });
        await shell.run(name === "fish" ? "set -g LOCAL mine" : "LOCAL=mine");
        const before = await variables(shell);
        await shell.run("blast start -e 'KEPT=x  $y' --env 'NEW=a\"b' -e LOCAL=theirs");
        const during = await variables(shell);
        const venv = `${project}/.venv`;
        expect(during).toEqual({
          ...Object.fromEntries(Object.entries(before).filter(([key]) => !/^PYTHON/.test(key))),
          PATH: `${venv}/bin:${before["PATH"]}`,
          VIRTUAL_ENV: venv,
          VIRTUAL_ENV_PROMPT: "blast my project",
          KEPT: "x  $y",
          NEW: 'a"b',
          LOCAL: "theirs",
        });
        expect(await prompt(shell)).toBe("my project");
        expect(await shell.run("command -v python")).toContain(`${venv}/bin/python`);
        await shell.run("blast kill");
        expect(await variables(shell)).toEqual(before);
        expect(await prompt(shell)).toBeUndefined();
        expect(await shell.run('echo "<$LOCAL>"')).toContain("<mine>");
        expect(await shell.run("blast kill; or true || true")).toContain("none is active");
      },
      TIMEOUT_MS,
    );

    test(
      "nested: kill and deactivate go back to what was active before",
      async () => {
        using work = createWorkspace();
        work.folder("one");
        work.folder("two");
        await using shell = await started(work, name, { cwd: work.path });
        const before = await variables(shell);
        await shell.run("blast start --path one -e DEPTH=1");
        const one = await variables(shell);
        await shell.run("blast start second --path two -e DEPTH=2");
        expect(await prompt(shell)).toBe("second");
        const two = await variables(shell);
        expect(two["PATH"]).toBe(`${work.at("two/.venv/bin")}:${before["PATH"]}`);
        // Again where it is active already: no further level.
        await shell.run("blast start --path two -e DEPTH=3");
        expect((await variables(shell))["DEPTH"]).toBe("3");
        await shell.run("deactivate");
        expect([await variables(shell), await prompt(shell)]).toEqual([one, "one"]);
        await shell.run("blast kill");
        expect([await variables(shell), await prompt(shell)]).toEqual([before, undefined]);
        await shell.run("blast start --path one");
        await shell.run("blast start --path two");
        await shell.run("blast kill --force");
        expect(await variables(shell)).toEqual(before);
      },
      TIMEOUT_MS,
    );

    test(
      "cd activates where start was run, and ends it on leaving; what start activated stays",
      async () => {
        using work = createWorkspace();
        work.folder("one/deep/er");
        work.folder("one/inner");
        work.folder("two");
        work.folder("elsewhere");
        await using shell = await started(work, name, { cwd: work.at("elsewhere") });
        const { home } = shell;
        const before = await variables(shell);
        const activeAt = async (folder: string): Promise<string | undefined> => {
          await shell.run(`cd '${work.at(folder)}'`);
          return prompt(shell);
        };
        for (const folder of ["one", "two", "one/inner"]) {
          expect((await home.blast(["start", "--path", work.at(folder)])).code).toBe(0);
        }
        expect(await activeAt("one")).toBe("one");
        expect((await variables(shell))["VIRTUAL_ENV"]).toBe(work.at("one/.venv"));
        expect(await activeAt("one/deep/er")).toBe("one");
        expect(await activeAt("one/inner")).toBe("inner");
        expect(await activeAt("two")).toBe("two");
        expect(await activeAt("elsewhere")).toBeUndefined();
        expect(await variables(shell)).toEqual(before);
        // Left by hand, it stays off until the folder is left.
        expect(await activeAt("one")).toBe("one");
        await shell.run("blast kill");
        expect(await prompt(shell)).toBeUndefined();
        expect(await activeAt("one/deep")).toBeUndefined();
        expect(await activeAt("elsewhere")).toBeUndefined();
        expect(await activeAt("one")).toBe("one");
        // Started by hand, it stays on until it is left by hand.
        await shell.run("blast start");
        expect(await activeAt("two")).toBe("one");
        expect(await activeAt("elsewhere")).toBe("one");
        await shell.run("deactivate");
        expect(await variables(shell)).toEqual(before);
      },
      TIMEOUT_MS,
    );

    test(
      "a folder cannot activate itself; that there is something is told once",
      async () => {
        using work = createWorkspace();
        foreignVenv(work, "hostile");
        work.folder("elsewhere");
        await using shell = await started(work, name, { cwd: work.at("elsewhere") });
        const before = await variables(shell);
        const shown = await shell.run(`cd '${work.at("hostile")}'`);
        expect(await prompt(shell)).toBeUndefined();
        expect(await variables(shell)).toEqual(before);
        expect((await shell.run("true")) + shown).toContain(`has an environment; "blast start"`);
        await shell.run("cd ..");
        const again = (await shell.run("cd hostile")) + (await shell.run("true"));
        expect(again).not.toContain("has an environment");
      },
      TIMEOUT_MS,
    );

    testUnless(needsRoot())(
      "an allowed folder that has come to belong to somebody else is not activated",
      async () => {
        using work = createWorkspace();
        work.folder("mine");
        await using shell = await started(work, name, { cwd: work.path });
        await shell.home.blast(["start", "--path", work.at("mine")]);
        chownSync(work.at("mine/.venv"), 65534, 65534);
        await shell.run("cd mine");
        expect(await prompt(shell)).toBeUndefined();
        chownSync(work.at("mine/.venv"), 0, 0);
        await shell.run("cd ..");
        await shell.run("cd mine");
        expect(await prompt(shell)).toBe("mine");
        // So is a list that somebody else could write.
        await shell.run("cd ..");
        chownSync(work.at("home/.local/share/blast/allowed"), 65534, 65534);
        await shell.run("cd mine");
        expect(await prompt(shell)).toBeUndefined();
      },
      TIMEOUT_MS,
    );

    test(
      "names and folders may hold what they like: nothing of it is run",
      async () => {
        using work = createWorkspace();
        const project = work.folder(ODD);
        await using shell = await started(work, name, {
          cwd: project,
          before: name === "zsh" ? "setopt prompt_subst" : "",
        });
        const before = await variables(shell);
        await shell.run("blast start");
        const venv = `${project}/.venv`;
        const during = await variables(shell);
        expect([during["VIRTUAL_ENV"], during["PATH"]]).toEqual([
          venv,
          `${venv}/bin:${before["PATH"]}`,
        ]);
        expect(await shell.run("command -v python")).toContain(`${ODD}/.venv/bin/python`);
        await shell.run("cd /");
        await shell.run("blast kill");
        expect(await variables(shell)).toEqual(before);
        await shell.run("cd $OLDPWD".replace("$OLDPWD", name === "fish" ? "-" : '"$OLDPWD"'));
        // Where a prompt would run it, it cannot stand in one.
        const shown = name === "fish" ? ODD : ODD.replace(/[$`\\%!"'(){}]/g, "_");
        expect(await prompt(shell)).toBe(shown);
        for (const folder of [project, work.path, work.at("home")]) {
          expect(existsSync(`${folder}/pwned`)).toBe(false);
        }
      },
      TIMEOUT_MS,
    );

    test(
      "a failed start leaves the shell as it is, with its exit code; other verbs pass through",
      async () => {
        using work = createWorkspace();
        await using shell = await started(work, name, { cwd: work.folder("project") });
        const before = await variables(shell);
        const status = name === "fish" ? "$status" : "$?";
        expect(await shell.run(`blast start --python 3.99; echo "code ${status}"`)).toContain(
          "code 1",
        );
        expect(await shell.run(`blast start --nonsense; echo "code ${status}"`)).toContain(
          "code 2",
        );
        expect(await shell.run(`blast start --help; echo "code ${status}"`)).toContain("code 0");
        expect(await shell.run(`blast --color never --version | cat`)).toContain("blast 0.");
        expect(await variables(shell)).toEqual(before);
        expect(existsSync(work.at("project/.venv"))).toBe(false);
      },
      TIMEOUT_MS,
    );

    test(
      "a deactivate of the user's own, and an environment of venv's, are there again",
      async () => {
        using work = createWorkspace();
        await using shell = await started(work, name, { cwd: work.folder("project") });
        expect((await shell.home.blast(["start", "--path", work.folder("plain")])).code).toBe(0);
        const file = name === "fish" ? "activate.fish" : "activate";
        await shell.run(
          `${name === "fish" ? "source" : "."} '${work.at("plain/.venv/bin", file)}'`,
        );
        const plain = await variables(shell);
        expect(plain["VIRTUAL_ENV"]).toBe(work.at("plain/.venv"));
        await shell.run("blast start");
        expect(await prompt(shell)).toBe("project");
        expect((await variables(shell))["PATH"]).not.toContain("plain");
        await shell.run("deactivate");
        expect(await variables(shell)).toEqual(plain);
        await shell.run("deactivate");
        expect((await variables(shell))["VIRTUAL_ENV"]).toBeUndefined();
      },
      TIMEOUT_MS,
    );
  });
}

describe("strict shells", () => {
  const strict = { bash: "set -eu", zsh: "setopt err_exit no_unset ksh_arrays sh_word_split" };
  for (const name of ["bash", "zsh"] as const) {
    testUnless(needsProgram(name))(
      `${name} with ${strict[name]}`,
      async () => {
        using work = createWorkspace();
        work.folder("one");
        await using shell = await started(work, name, { cwd: work.path, before: strict[name] });
        const before = await variables(shell);
        await shell.run("cd one");
        await shell.run("blast start");
        expect(await prompt(shell)).toBe("one");
        await shell.run("cd ..");
        await shell.run("deactivate");
        await shell.run("cd one");
        expect(await prompt(shell)).toBe("one");
        await shell.run("cd ..");
        expect(await variables(shell)).toEqual(before);
      },
      TIMEOUT_MS,
    );
  }
});

describe("without the integration", () => {
  for (const name of ["bash", "zsh", "fish"] as const) {
    testUnless(needsProgram(name))(
      `${name}: a shell begins, with the user's own settings, and its exit code is the command's`,
      async () => {
        using work = createWorkspace();
        const project = work.folder("my project");
        const alias = { bash: "mine() { echo '<mine>'; }", zsh: "mine() { echo '<mine>'; }" };
        await using shell = await started(work, name, {
          cwd: project,
          integration: false,
          before: name === "fish" ? "function mine; echo '<mine>'; end" : alias[name],
          env: { ZDOTDIR: work.at("home") },
        });
        const before = await variables(shell);
        shell.type("blast start -e 'A=b c'");
        await shell.shows("(blast my project) ready> ");
        expect(await shell.run("mine")).toContain("\n<mine>");
        const inside = await variables(shell);
        expect(inside).toEqual({
          ...before,
          PATH: `${project}/.venv/bin:${before["PATH"]}`,
          VIRTUAL_ENV: `${project}/.venv`,
          VIRTUAL_ENV_PROMPT: "blast my project",
          A: "b c",
        });
        // Everybody may read the arguments of a process, and a variable may hold a secret.
        const pid = name === "fish" ? "$fish_pid" : "$$";
        expect(await shell.run(`tr '\\0' ' ' </proc/${pid}/cmdline`)).not.toContain("b c");
        await shell.run("exit 7");
        expect(await shell.run(`echo "code ${name === "fish" ? "$status" : "$?"}"`)).toBeDefined();
        expect(await variables(shell)).toEqual(before);
        const prompts = (): number => shell.shown().split("(blast my project) ready> ").length;
        const seen = prompts();
        shell.type("blast start");
        while (prompts() === seen) await Bun.sleep(10);
        expect(await prompt(shell)).toBe("my project");
        await shell.run("deactivate");
        expect(await prompt(shell)).toBeUndefined();
        expect(await variables(shell)).toEqual(before);
      },
      TIMEOUT_MS,
    );
  }

  test("kill says what to do", async () => {
    using work = createWorkspace();
    const home = await blastHome(work);
    const none = await home.blast(["kill"]);
    expect([none.code, none.stderr]).toEqual([
      1,
      "error: Cannot leave an environment: none is active\n",
    ]);
    const other = await home.blast(["kill"], { env: { VIRTUAL_ENV: "/x", SHELL: "/bin/zsh" } });
    expect([other.code, other.stderr]).toEqual([
      1,
      "error: Cannot change this shell: it does not know blast\n" +
        "hint: use `deactivate`, or put this line into its start-up file: " +
        'eval "$(blast init zsh)" in ~/.zshrc\n',
    ]);
  });
});

describe("a symbolic link on the way", () => {
  testUnless(firstReason(needsProgram("bash")))(
    "the folder is allowed by both of its names",
    async () => {
      using work = createWorkspace();
      work.folder("real/project");
      symlinkSync("real", work.at("link"));
      await using shell = await started(work, "bash", { cwd: work.path });
      await shell.run("cd link/project && blast start && deactivate");
      for (const folder of ["real/project", "link/project"]) {
        await shell.run(`cd '${work.path}'`);
        await shell.run(`cd ${folder}`);
        expect([folder, await prompt(shell)]).toEqual([folder, "project"]);
      }
      expect(statSync(work.at("home/.local/share/blast/allowed")).mode & 0o777).toBe(0o600);
      mkdirSync(work.at("other"));
    },
    TIMEOUT_MS,
  );
});
