import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ROOT_ARGS } from "../root-args.ts";

const DRIFT_ARGS = {
  snapshot: {
    type: "string",
    valueHint: "SNAPSHOT",
    description: "A snapshot; default: the deployment that is booted, or that boots next",
  },
  ...ROOT_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos drift`. */
export type DriftArgs = typeof DRIFT_ARGS;

/** `rastos drift`. */
export const driftCommand = defineCommand({
  meta: {
    name: "drift",
    description: "Show how the system differs from the system.toml that it was made of",
    details: `
      Packages that are declared and missing, or installed by hand and declared nowhere; settings,
      accounts, keys and services that were changed; and, of a deployment, every file of /etc that
      is not as its snapshot has it. \`rastos apply\` with the file makes a snapshot without them.

      With --json the one line has the schema "rastos.drift/1": missing, undeclared, changes, etc.
    `,
  },
  args: DRIFT_ARGS,
  examples: [
    { command: "rastos drift", description: "Of the system that runs" },
    { command: "rastos drift --snapshot 7", description: "Of a snapshot" },
  ],
  exitCodes: {
    0: "There is no difference",
    1: "There are differences, or something has failed (then stderr says error)",
  },
  run: async (context) => (await import("./drift-run.ts")).run(context),
});
