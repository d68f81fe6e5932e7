import { describe, expect, test } from "bun:test";
import { initScript, quoteFor } from "../../../src/blast/shell/init.ts";
import { SHELLS, type ShellName } from "../../../src/blast/shell/shells.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

const ODD = `/a "b" 'c' $(id) \`id\` $x \\n !e %f ;g ' & $& $1`;
const script = (shell: ShellName, cd = true): Promise<string> =>
  initScript({ shell, program: ODD, allowed: `${ODD}2`, cd });

describe("texts come out of each shell as they went in", () => {
  for (const shell of ["bash", "zsh", "fish"] as const) {
    testUnless(needsProgram(shell))(shell, async () => {
      const print = `printf '%s|%s' "$__blast_program" "$__blast_allowed"`;
      const code = `${await script(shell, false)}\n${print}`;
      const ran = Bun.spawnSync([shell, "-c", code], { env: { PATH: "/usr/bin:/bin" } });
      expect([ran.stdout.toString(), ran.stderr.toString()]).toEqual([`${ODD}|${ODD}2`, ""]);
    });
  }
  test("powershell doubles every kind of quote", () => {
    expect(quoteFor("powershell")("a'b\u2019c\u201bd")).toBe("'a''b\u2019\u2019c\u201b\u201bd'");
  });
});

describe("the scripts", () => {
  testUnless(needsProgram("shellcheck"))(
    "of bash have nothing that shellcheck knows of",
    async () => {
      // SC2178, SC2128: PROMPT_COMMAND is a list or a text; SC2317: the user calls it.
      const check = ["shellcheck", "-s", "bash", "-e", "SC2178,SC2128,SC2317", "-"];
      const plain = { program: "/usr/bin/blast", allowed: "/home/me/allowed", cd: true };
      const text = await initScript({ shell: "bash", ...plain });
      const ran = Bun.spawnSync(check, { stdin: new Blob([text]) });
      expect(ran.stdout.toString()).toBe("");
    },
  );

  for (const [shell, ...how] of [
    ["zsh", "zsh", "-n"],
    ["fish", "fish", "-n"],
  ] as const) {
    testUnless(needsProgram(shell))(`of ${shell} can be read`, async () => {
      const ran = Bun.spawnSync(how, { stdin: new Blob([await script(shell)]) });
      expect([ran.exitCode, ran.stderr.toString()]).toEqual([0, ""]);
    });
  }

  test("start no program before they are asked to", async () => {
    for (const shell of SHELLS) {
      const text = await script(shell);
      expect(text).not.toContain("@PROGRAM@");
      expect(text).not.toContain("@ALLOWED@");
      const hook = text.slice(text.indexOf("# Activates what is allowed here"));
      // Substitutions that bash and zsh fork for. fish runs functions within itself, and zsh reads
      // a file by itself.
      if (shell === "bash" || shell === "zsh") {
        const found = [...hook.matchAll(/\$\((?!\(|<)[^)]*\)/g)].map(([text]) => text);
        const once = shell === "bash" ? ["$(declare -p PROMPT_COMMAND 2>/dev/null || :)"] : [];
        expect(found).toEqual(once);
        expect(shell === "bash" && hook.includes("$(<")).toBe(false);
      }
    }
  });

  test("without cd there is no hook", async () => {
    expect(await script("bash", false)).not.toContain("PROMPT_COMMAND");
    expect(await script("zsh", false)).not.toContain("chpwd");
    expect(await script("fish", false)).not.toContain("--on-variable");
    expect(await script("powershell", false)).not.toContain("__blast_shown_prompt");
  });

  test("powershell's brackets are even, and its functions are those that blast calls", async () => {
    const text = (await script("powershell")).replace(/'(?:[^']|'')*'|"[^"]*"|#.*/g, "");
    for (const [open, close] of ["()", "{}", "[]"].map((pair) => [...pair])) {
      const count = (sign = ""): number => text.split(sign).length;
      expect([open, count(open)]).toEqual([open, count(close)]);
    }
    for (const name of ["blast", "__blast_enter", "__blast_leave", "__blast_leave_all"]) {
      expect(text).toContain(`function global:${name}`);
    }
  });
});
