import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";

const TMP_ARGS = {
  clean: {
    type: "boolean",
    description: "Remove those that no process is at work in",
  },
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot tmp`. */
export type TmpArgs = typeof TMP_ARGS;

/** `rastos snapshot tmp`, also `rastos tmp`. */
export const tmpCommand = defineCommand({
  meta: {
    name: "tmp",
    description: "List temporary clones, or clean up what interrupted runs have left",
    details: `
      What changes the tree cleans up first by itself, so this is seldom needed.

      With --json they are printed, with schema "rastos.tmp/1": name, path and isInUse of each of
      the clones, and the names of what was removed.
    `,
  },
  args: TMP_ARGS,
  examples: [{ command: "rastos tmp --clean", description: "Only what nobody uses" }],
  run: async (context) => (await import("./tmp-run.ts")).run(context),
});
