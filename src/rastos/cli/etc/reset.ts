import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { DESTROY_ARGS } from "../root-args.ts";
import { DEPLOYMENT_ARGS } from "./etc-args.ts";

const RESET_ARGS = {
  path: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PATH",
    description: "Files and folders in /etc; default: all that was changed",
  },
  ...DEPLOYMENT_ARGS,
  ...DESTROY_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos etc reset`. */
export type ResetArgs = typeof RESET_ARGS;

/** `rastos etc reset [PATH…]`. */
export const resetCommand = defineCommand({
  meta: {
    name: "reset",
    description: "Take changes in /etc back",
    synonyms: ["restore", "revert"],
    details: `
      Each file is replaced by the one of the snapshot as a whole, and NAME.rastos-new beside it
      goes; what was added is removed. The next deployment does not take it along any more.
      Programs that have read a file already have to be told to read it again.
    `,
  },
  args: RESET_ARGS,
  examples: [
    { command: "rastos etc reset", description: "Ask, and take all changes back" },
    { command: "rastos etc reset /etc/ssh/sshd_config --yes", description: "One file" },
  ],
  run: async (context) => (await import("./reset-run.ts")).run(context),
});
