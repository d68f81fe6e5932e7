import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { DESCRIPTION_ARG, SNAPSHOT_ARG } from "./snapshot-args.ts";

const CLONE_ARGS = {
  ...SNAPSHOT_ARG,
  ...DESCRIPTION_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot clone`. */
export type CloneArgs = typeof CLONE_ARGS;

/** `rastos snapshot clone SNAPSHOT`, also `rastos clone SNAPSHOT`. */
export const cloneCommand = defineCommand({
  meta: {
    name: "clone",
    description: "Make a snapshot of a snapshot, as its child",
    synonyms: ["copy", "cp"],
    details: `
      The child has the same files, and takes no room for them. It is on the disk when the command
      ends; after a power cut before that it is there as a whole or not at all.

      With --json the new snapshot is printed, with schema "rastos.snapshot/1".
    `,
  },
  args: CLONE_ARGS,
  examples: [{ command: "rastos clone 3 -d 'before the upgrade'", description: "With a note" }],
  run: async (context) => (await import("./clone-run.ts")).run(context),
});
