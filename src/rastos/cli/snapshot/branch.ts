import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { DESCRIPTION_ARG, SNAPSHOT_ARG } from "./snapshot-args.ts";

const BRANCH_ARGS = {
  ...SNAPSHOT_ARG,
  name: {
    type: "positional",
    required: true,
    valueHint: "NAME",
    description: "Name of the branch: letters, digits, dots, dashes and underscores",
  },
  ...DESCRIPTION_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot branch`. */
export type BranchArgs = typeof BRANCH_ARGS;

/** `rastos snapshot branch SNAPSHOT NAME`, also `rastos branch SNAPSHOT NAME`. */
export const branchCommand = defineCommand({
  meta: {
    name: "branch",
    description: "Make a child that begins a branch with a name",
    synonyms: ["cbranch", "ubranch"],
    details: `
      The name can be given in place of the number from then on. No two branches have one name.

      With --json the new snapshot is printed, with schema "rastos.snapshot/1".
    `,
  },
  args: BRANCH_ARGS,
  examples: [{ command: "rastos branch 3 testing", description: "Try things out beside 3" }],
  run: async (context) => (await import("./branch-run.ts")).run(context),
});
