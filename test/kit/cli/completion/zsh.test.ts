import { expect } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { documentedTools } from "../../../../src/applets.ts";
import { zshCompletion } from "../../../../src/kit/cli/completion/zsh.ts";
import { needsProgram, testUnless } from "../../../support/skip.ts";

const script = zshCompletion(await documentedTools());
const zshTest = testUnless(needsProgram("zsh"));
// Ctrl-X would begin longer sequences, for which zsh waits 0.4 s each time.
const CTRL_BRACKET = "\u001d";

/** Types each line into a real zsh, presses Tab, and reads the line that comes of it. */
async function complete(lines: readonly string[]): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "zsh-"));
  try {
    writeFileSync(join(folder, "script"), script);
    writeFileSync(join(folder, "two words"), "");
    // Ctrl-] writes the line to a file of the next number and clears it.
    const rc = `
      autoload -U compinit; compinit -u -D
      source ${folder}/script
      setopt no_beep no_auto_menu no_list_ambiguous; unsetopt auto_list
      typeset -i number=0
      dump() {
        print -rn -- $BUFFER >| ${folder}/part; mv ${folder}/part ${folder}/line.$number
        number+=1; BUFFER=
      }
      zle -N dump; bindkey '^]' dump
      print -n ready > ${folder}/line.ready
    `;
    writeFileSync(join(folder, ".zshrc"), rc);
    const child = Bun.spawn(["zsh", "-d", "-i"], {
      cwd: folder,
      env: { ...process.env, ZDOTDIR: folder, HOME: folder, TERM: "xterm" },
      terminal: { cols: 200, rows: 50, data() {} },
    });
    const read = async (name: string): Promise<string> => {
      const path = join(folder, `line.${name}`);
      for (let tries = 0; tries < 5000 && !existsSync(path); tries += 1) {
        await Bun.sleep(10);
      }
      return readFileSync(path, "utf8");
    };
    await read("ready");
    const results: string[] = [];
    for (const [number, line] of lines.entries()) {
      child.terminal?.write(`${line}\t${CTRL_BRACKET}`);
      results.push(await read(String(number)));
    }
    child.kill("SIGKILL");
    await child.exited;
    return results;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

zshTest("the script is sound", async () => {
  const child = Bun.spawn(["zsh", "-n", "/dev/stdin"], {
    stdin: new Blob([script]),
    stderr: "pipe",
  });
  expect([await child.stderr.text(), await child.exited]).toEqual(["", 0]);
});

zshTest(
  "a real zsh completes commands, flags, words and names",
  async () => {
    const cases = {
      "blit mir": "blit mirror ",
      "blit copy --excl": "blit copy --exclude=",
      "blit mirror a --max": "blit mirror a --max-delete=",
      "blit copy --max": "blit copy --max",
      "triad blit copy --dry": "triad blit copy --dry-run ",
      "triad comp": "triad completions ",
      "triad completions fi": "triad completions fish ",
      "triad ras": "triad rastos ",
      "blit copy --lud": "blit copy --lud",
      "blit copy --color=ne": "blit copy --color=never ",
      "blit copy --color ne": "blit copy --color never ",
      "blit copy two": "blit copy two\\ words ",
      "blit diagnostics p": "blit diagnostics perf ",
      "blit diagnostics perf --li": "blit diagnostics perf --limit=",
    };
    const lines = Object.keys(cases);
    const completed = await complete(lines);
    expect(Object.fromEntries(lines.map((line, index) => [line, completed[index]]))).toEqual(cases);
  },
  60_000,
);
