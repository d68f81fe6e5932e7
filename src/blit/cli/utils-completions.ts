import type { ArgsSpec, CommandSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import type { OwnTools } from "./utils.ts";

const COMPLETIONS_ARGS = {
  shell: {
    type: "positional",
    choices: ["bash", "zsh", "fish", "powershell"],
    description: "The shell: bash, zsh, fish or powershell",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blit utils completions`. */
export type CompletionsArgs = typeof COMPLETIONS_ARGS;

/** `blit utils completions SHELL`. */
export function completionsCommand(tools: OwnTools): CommandSpec<CompletionsArgs> {
  return defineCommand({
    meta: {
      name: "completions",
      description: "Print a completion script for a shell, for blit, blit-utils and blitd",
      synonyms: ["completion", "complete"],
      details: `
        "triad completions" prints one for every tool of this executable; use one of the two.
      `,
    },
    args: COMPLETIONS_ARGS,
    examples: [
      { command: "source <(blit utils completions bash)", description: "In ~/.bashrc" },
      { command: "blit utils completions fish | source", description: "In config.fish" },
    ],
    run: async (context) => (await import("./utils-completions-run.ts")).run(context, tools),
  });
}
