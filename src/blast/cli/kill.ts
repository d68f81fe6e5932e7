import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const KILL_ARGS = {
  force: {
    type: "boolean",
    alias: ["f", "all"],
    description: "Leave all environments, however deep they are nested",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blast kill`. */
export type KillArgs = typeof KILL_ARGS;

/** `blast kill`. */
export const killCommand = defineCommand({
  meta: {
    name: "kill",
    description: "Leave the environment: the shell becomes what it was before",
    synonyms: ["deactivate", "stop", "off", "exit", "end"],
    details: `
      Every variable is given back as it was, byte for byte, and what was not set is not set
      again. If another environment was active before, it is active again. \`deactivate\` does the
      same.

      Needs the shell integration (see blast init), or a shell that \`blast start\` began.
    `,
  },
  args: KILL_ARGS,
  examples: [
    { command: "blast kill", description: "Back to what was active before" },
    { command: "blast kill --force", description: "Out of all nested environments" },
  ],
  exitCodes: { 1: "No environment is active in this shell" },
  run: async (context) => (await import("./kill-run.ts")).run(context),
});
