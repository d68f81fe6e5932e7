import type { ArgsSpec, CommandSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import type { TriadPorts } from "../ports.ts";

const COMPLETIONS_ARGS = {
  shell: {
    type: "positional",
    choices: ["bash", "zsh", "fish", "powershell"],
    description: "The shell: bash, zsh, fish or powershell",
  },
} as const satisfies ArgsSpec;

/** The arguments of `triad completions`. */
export type CompletionsArgs = typeof COMPLETIONS_ARGS;

/** `triad completions SHELL`. */
export function completionsCommand(ports: TriadPorts): CommandSpec<CompletionsArgs> {
  return defineCommand({
    meta: {
      name: "completions",
      description: "Print a completion script for a shell, for all tools in one",
      synonyms: ["completion", "complete"],
    },
    args: COMPLETIONS_ARGS,
    examples: [
      { command: "source <(triad completions bash)", description: "In ~/.bashrc" },
      { command: "source <(triad completions zsh)", description: "In ~/.zshrc, after compinit" },
      { command: "triad completions fish | source", description: "In config.fish" },
    ],
    run: async (context) => (await import("./completions-run.ts")).run(context, ports),
  });
}
