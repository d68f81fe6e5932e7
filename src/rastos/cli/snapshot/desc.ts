import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { SNAPSHOT_ARG } from "./snapshot-args.ts";

const DESC_ARGS = {
  ...SNAPSHOT_ARG,
  text: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "TEXT",
    description: "The new description; none takes the old one away",
  },
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot desc`. */
export type DescArgs = typeof DESC_ARGS;

/** `rastos snapshot desc SNAPSHOT TEXT…`, also `rastos desc SNAPSHOT TEXT…`. */
export const descCommand = defineCommand({
  meta: {
    name: "desc",
    description: "Describe a snapshot",
    synonyms: ["describe", "description"],
  },
  args: DESC_ARGS,
  examples: [{ command: "rastos desc 3 before the upgrade", description: "Without quotes too" }],
  run: async (context) => (await import("./desc-run.ts")).run(context),
});
