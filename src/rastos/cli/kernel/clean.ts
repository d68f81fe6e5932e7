import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";

const CLEAN_ARGS = {
  output: {
    type: "string",
    alias: "o",
    default: "output",
    valueHint: "DIR",
    completes: "folder",
    description: "The folder that was built in",
  },
  "dry-run": {
    type: "boolean",
    description: "Show what would be done, and do nothing",
  },
  yes: {
    type: "boolean",
    description: "Do not ask",
  },
} as const satisfies ArgsSpec;

/** The arguments of `rastos kernel clean`. */
export type CleanArgs = typeof CLEAN_ARGS;

/** `rastos kernel clean`. */
export const cleanCommand = defineCommand({
  meta: {
    name: "clean",
    description: "Remove the output folder of a kernel build",
    details: `
      Only a folder that "rastos kernel build" has made is removed, with the kernel that is
      installed in it. The sources are not touched.
    `,
  },
  args: CLEAN_ARGS,
  examples: [{ command: "rastos kernel clean -o output --yes", description: "Without asking" }],
  run: async (context) => (await import("./clean-run.ts")).run(context),
});
