import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { SHELLS } from "../shell/shells.ts";

const INIT_ARGS = {
  shell: {
    type: "positional",
    choices: SHELLS,
    description: "The shell: bash, zsh, fish or powershell",
  },
  cd: {
    type: "boolean",
    default: true,
    negativeDescription: "Without activation by cd",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blast init`. */
export type InitArgs = typeof INIT_ARGS;

/** `blast init SHELL`. */
export const initCommand = defineCommand({
  meta: {
    name: "init",
    description: "Print the shell integration, for the start-up file of the shell",
    synonyms: ["hook", "integration", "setup"],
    details: `
      With one line in the shell's start-up file, \`blast start\` and \`blast kill\` change the
      shell itself, and cd activates the environments of folders in which you have run
      \`blast start\`; leaving such a folder ends it. Other folders cannot activate themselves: if
      one has an environment, that is told once.

      A prompt in an unchanged folder costs a comparison of two texts. No process is started.
    `,
  },
  args: INIT_ARGS,
  examples: [
    { command: 'eval "$(blast init bash)"', description: "In ~/.bashrc" },
    { command: 'eval "$(blast init zsh)"', description: "In ~/.zshrc" },
    { command: "blast init fish | source", description: "In ~/.config/fish/config.fish" },
    {
      command: "Invoke-Expression (& blast init powershell | Out-String)",
      description: "In $PROFILE",
    },
  ],
  run: async (context) => (await import("./init-run.ts")).run(context),
});
