import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { binaryPath, type RunResult, runCommand } from "./binary.ts";
import { fakePython } from "./fake-python.ts";
import { type ShellSession, startShell } from "./shell-session.ts";
import type { Workspace } from "./workspace.ts";

/** A user of blast: a home of his own, a made-up Python, and blast in PATH. */
export interface BlastHome {
  readonly env: Readonly<Record<string, string>>;
  /** The file of folders that cd may activate. */
  allowed(): string;
  blast(args: readonly string[], options?: BlastRun): Promise<RunResult>;
  shell(name: TestShell, options?: HomeShell): ShellSession;
}

export type TestShell = "bash" | "zsh" | "fish";

interface BlastRun {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface HomeShell {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** False: the start-up file does not mention blast. */
  readonly integration?: boolean;
  /** Lines of the start-up file, before the integration. */
  readonly before?: string;
}

/** Makes the user. */
export async function blastHome(work: Workspace): Promise<BlastHome> {
  const home = work.folder("home");
  const bin = work.folder("bin");
  const program = await binaryPath("blast");
  symlinkSync(program, `${bin}/blast`);
  fakePython(work, "python", { version: "3.12.1" });
  const env = {
    HOME: home,
    PATH: `${bin}:${work.at("python/bin")}:/usr/bin:/bin`,
    USER: "somebody",
    SHELL: "/bin/bash",
  };
  const isolated = (extra: BlastRun["env"]) => ({ XDG_DATA_HOME: undefined, ...env, ...extra });
  return {
    env,
    allowed: () => readFileSync(`${home}/.local/share/blast/allowed`, "utf8"),
    blast: (args, options = {}) =>
      runCommand([`${bin}/blast`, ...args], {
        cwd: options.cwd ?? home,
        env: isolated(options.env),
      }),
    shell(name, options = {}) {
      const file = { bash: ".bashrc", zsh: ".zshrc", fish: ".config/fish/config.fish" }[name];
      const line = name === "fish" ? "blast init fish | source" : `eval "$(blast init ${name})"`;
      const lines = [START[name], options.before ?? "", options.integration === false ? "" : line];
      mkdirSync(dirname(`${home}/${file}`), { recursive: true });
      work.write(`home/${file}`, `${lines.join("\n")}\n`);
      return startShell({
        command: COMMANDS[name],
        cwd: options.cwd ?? home,
        env: { ...env, SHELL: `/usr/bin/${name}`, ...options.env },
        scratch: work.at("variables"),
      });
    },
  };
}

const COMMANDS: Readonly<Record<TestShell, readonly string[]>> = {
  bash: ["/usr/bin/bash", "-i"],
  zsh: ["/usr/bin/zsh", "-i"],
  fish: ["/usr/bin/fish", "-i"],
};

const START: Readonly<Record<TestShell, string>> = {
  bash: "PS1='ready> '",
  zsh: "PS1='ready> '; unsetopt zle prompt_cr prompt_sp",
  fish: "set -g fish_greeting; function fish_prompt; echo -n 'ready> '; end",
};
