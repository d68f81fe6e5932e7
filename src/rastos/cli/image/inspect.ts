import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";

const INSPECT_ARGS = {
  image: {
    type: "positional",
    required: true,
    completes: "path",
    valueHint: "IMAGE",
    description: "A raw or QCOW2 image, or a disk",
  },
} as const satisfies ArgsSpec;

/** The arguments of `rastos image inspect`. */
export type InspectArgs = typeof INSPECT_ARGS;

/** `rastos image inspect IMAGE`. */
export const inspectCommand = defineCommand({
  meta: {
    name: "inspect",
    description: "Show what is in an image: partitions, file system, boot entries",
    synonyms: ["show", "info"],
    details: `
      Reads and mounts nothing. The boot entries are shown of raw images only, by mtools.

      With --json one object of the schema "rastos.image.facts/1".
    `,
  },
  args: INSPECT_ARGS,
  examples: [{ command: "rastos image inspect disk.raw", description: "What is on it" }],
  run: async (context) => (await import("./inspect-run.ts")).run(context),
});
