import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";

const REBUILD_ARGS = CHANGE_ARGS satisfies ArgsSpec;

/** The arguments of `rastos snapshot rebuild`. */
export type RebuildArgs = typeof REBUILD_ARGS;

/** `rastos snapshot rebuild`. */
export const rebuildCommand = defineCommand({
  meta: {
    name: "rebuild",
    description: "Make the state anew from the subvolumes alone",
    synonyms: ["fixdb", "repair"],
    details: `
      For when the state is lost or not understood. Numbers, parents, branches, times, system files
      and the first descriptions are in the snapshots themselves, deployments in their subvolumes.
      Pins, and descriptions that were changed later, are kept where the old state can still be
      read; otherwise they are lost.

      With --json the tree is printed, with schema "rastos.tree/1".
    `,
  },
  args: REBUILD_ARGS,
  examples: [{ command: "rastos snapshot rebuild", description: "Nothing is removed by it" }],
  run: async (context) => (await import("./rebuild-run.ts")).run(context),
});
