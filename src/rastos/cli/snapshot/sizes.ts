import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ROOT_ARGS } from "../root-args.ts";

const SIZES_ARGS = {
  snapshot: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "SNAPSHOT",
    description: "Numbers of snapshots, or names of branches; all if none is named",
  },
  ...ROOT_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot sizes`. */
export type SizesArgs = typeof SIZES_ARGS;

/** `rastos snapshot sizes [SNAPSHOT…]`. */
export const sizesCommand = defineCommand({
  meta: {
    name: "sizes",
    description: "Show what snapshots take on the disk: alone, and with others",
    synonyms: ["size", "du"],
    details: `
      "Exclusive" would be free without the snapshot, "shared" belongs to others too. Every file is
      asked for its blocks, so it takes a moment; quota groups are not used.

      With --json one object is printed, with schema "rastos.sizes/1": snapshots (id, totalBytes,
      exclusiveBytes, sharedBytes), freeBytes, sizeBytes and reserveBytes of the file system.
    `,
  },
  args: SIZES_ARGS,
  examples: [{ command: "rastos snapshot sizes 3 4", description: "Of two of them" }],
  run: async (context) => (await import("./sizes-run.ts")).run(context),
});
