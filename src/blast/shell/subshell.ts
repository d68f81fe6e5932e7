/** A shell in which an environment is active, for those whose own shell blast cannot change. */
import { mkdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Environment, xdgPaths } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { Program } from "../../kit/proc/exec.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { promptText } from "../python/activate-scripts.ts";
import { allowedPath } from "./allowed.ts";
import { type Activation, enterCode } from "./channel.ts";
import { initScript } from "./init.ts";
import type { ShellName } from "./shells.ts";

/** Where the shell finds the code that it begins with: its arguments could be read by everybody. */
const BOOT = "BLAST_BOOT";

/**
 * Runs the user's shell with the environment active, in place of this process where that is
 * possible. The shell reads its own start-up files first; `deactivate` and `blast kill` end it.
 *
 * @returns the exit code of the shell
 * @throws {Fault} E_NOT_FOUND when $SHELL cannot be started
 */
export async function runSubshell(
  environment: Environment,
  activation: Activation,
  program: string,
): Promise<number> {
  const shell = environment["SHELL"] || "/bin/sh";
  const path = shell.includes("/") ? shell : Bun.which(shell);
  try {
    if (path === null) throw new Error(`no "${shell}" in PATH`);
    const { runInPlace } = await import("../../kit/proc/exec.ts");
    return await runInPlace(await programFor(path, environment, activation, program));
  } catch (error) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot start your shell "${shell}"`,
      hint: "set SHELL to a shell that exists",
      cause: error,
    });
  }
}

async function programFor(
  path: string,
  environment: Environment,
  activation: Activation,
  program: string,
): Promise<Program> {
  const name = basename(path).replace(/^-|\.exe$/g, "");
  const boot = (shell: ShellName): Promise<string> =>
    bootCode(shell, environment, activation, program);
  switch (name) {
    case "bash": {
      const file = startFile(environment, "bashrc", BASH_RC);
      const variables = { ...environment, [BOOT]: await boot("bash") };
      return { path, argv: [path, "--rcfile", file, "-i"], environment: variables };
    }
    case "zsh":
      return {
        path,
        argv: [path, "-i"],
        environment: {
          ...environment,
          ZDOTDIR: dirname(startFile(environment, "zsh/.zshenv", ZSH_ENV)),
          BLAST_ZDOTDIR: environment["ZDOTDIR"],
          [BOOT]: await boot("zsh"),
        },
      };
    case "fish":
      return {
        path,
        argv: [path, "-i", "-C", FISH_TAKE],
        environment: { ...environment, [BOOT]: await boot("fish") },
      };
    case "pwsh":
    case "powershell":
      return {
        path,
        argv: [path, "-NoExit", "-Command", POWERSHELL_TAKE],
        environment: { ...environment, [BOOT]: await boot("powershell") },
      };
    default:
      return { path, argv: [path], environment: plainVariables(environment, activation) };
  }
}

async function bootCode(
  shell: ShellName,
  environment: Environment,
  activation: Activation,
  program: string,
): Promise<string> {
  const script = await initScript({
    shell,
    program,
    allowed: allowedPath(environment),
    cd: false,
  });
  const mark = { bash: "=1", zsh: "=1", fish: " 1", powershell: " = 1" }[shell];
  const set = { bash: "", zsh: "", fish: "set -g ", powershell: "$global:" }[shell];
  // The last of it, so that `deactivate` ends the shell from then on.
  return `${script}\n${enterCode(shell, activation)}${set}__blast_subshell${mark}\n`;
}

/** A shell that we know nothing of gets the variables, and a prompt if it takes one from them. */
function plainVariables(environment: Environment, activation: Activation): Environment {
  const { venv, name, variables } = activation;
  const prompt = `blast ${promptText(name)}`;
  return {
    ...environment,
    PYTHONHOME: undefined,
    PYTHONPATH: undefined,
    PATH: `${venv}/bin:${environment["PATH"] ?? ""}`,
    VIRTUAL_ENV: venv,
    VIRTUAL_ENV_PROMPT: prompt,
    PS1: `(${prompt}) ${environment["PS1"] ?? "$ "}`,
    ...Object.fromEntries(variables),
  };
}

/** A start-up file that never changes: what it is to do comes in the environment. */
function startFile(environment: Environment, name: string, text: string): string {
  const path = join(xdgPaths(environment).data, "blast", "shell", name);
  try {
    if (readFileSync(path, "utf8") === text) return path;
  } catch {
    // Not there yet.
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileAtomic({ path, content: text, mode: 0o600 });
  return path;
}

const FISH_TAKE = [
  `set -g __blast_boot $${BOOT}`,
  `set -e ${BOOT}`,
  "eval $__blast_boot",
  "set -e __blast_boot",
].join("; ");

const POWERSHELL_TAKE = [
  `$__blast_boot = $env:${BOOT}`,
  `Remove-Item env:${BOOT}`,
  "Invoke-Expression $__blast_boot",
].join("; ");

const TAKE = `eval "$${BOOT}"; unset ${BOOT}`;

const BASH_RC = `# Read by the shells that "blast start" begins.
if [ -f ~/.bashrc ]; then . ~/.bashrc; fi
if [ -n "\${${BOOT}-}" ]; then ${TAKE}; fi
`;

// ZDOTDIR goes back at once, so that zsh itself reads the user's other files and keeps its history
// where it always does; the environment comes after all of them, before the first prompt.
const ZSH_ENV = `# Read by the shells that "blast start" begins.
if (( \${+BLAST_ZDOTDIR} )); then
  export ZDOTDIR="$BLAST_ZDOTDIR"
  unset BLAST_ZDOTDIR
else
  unset ZDOTDIR
fi
if [[ -f "\${ZDOTDIR:-$HOME}/.zshenv" ]]; then . "\${ZDOTDIR:-$HOME}/.zshenv"; fi
if [[ -o interactive && -n "\${${BOOT}-}" ]]; then
  __blast_boot=$${BOOT}
  function __blast_begin {
    precmd_functions=(\${precmd_functions:#__blast_begin})
    unfunction __blast_begin
    eval "$__blast_boot"
    unset __blast_boot
  }
  typeset -ga precmd_functions
  precmd_functions+=(__blast_begin)
fi
unset ${BOOT}
`;
