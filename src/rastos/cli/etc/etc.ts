import { defineCommand } from "../../../kit/cli/command.ts";

/** `rastos etc`: what was changed in /etc. */
export const etcCommand = defineCommand({
  meta: {
    name: "etc",
    description: "Show what was changed in /etc, and take it back",
  },
  subCommands: {
    diff: async () => (await import("./diff.ts")).diffCommand,
    reset: async () => (await import("./reset.ts")).resetCommand,
  },
  examples: [
    { command: "rastos etc diff", description: "What is not as the snapshot has it" },
    { command: "rastos etc reset /etc/ssh", description: "Ask, and take changes in it back" },
  ],
});
