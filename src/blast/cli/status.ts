import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { PYTHON_ARG } from "./shared-args.ts";

const STATUS_ARGS = { ...PYTHON_ARG } as const satisfies ArgsSpec;

/** The arguments of `blast status`. */
export type StatusArgs = typeof STATUS_ARGS;

/** `blast status`. */
export const statusCommand = defineCommand({
  meta: {
    name: "status",
    description: "Tell which environment this is and whether it is up to date",
    synonyms: ["info"],
    details: `
      Project, environment, interpreter, number of packages, whether lock file and environment fit
      the project, what the last change was, and which settings have no effect yet. Asks no server.
    `,
  },
  args: STATUS_ARGS,
  examples: [{ command: "blast status", description: "What is active here" }],
  run: async (context) => (await import("./status-run.ts")).run(context),
});
