import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";

const CONVERT_ARGS = {
  from: {
    type: "positional",
    required: true,
    completes: "path",
    valueHint: "RAW",
    description: "A raw image",
  },
  to: {
    type: "positional",
    required: true,
    completes: "path",
    valueHint: "QCOW2",
    description: "The image to write",
  },
  "dry-run": { type: "boolean", description: "Show what would be done, and do nothing" },
} as const satisfies ArgsSpec;

/** The arguments of `rastos image convert`. */
export type ConvertArgs = typeof CONVERT_ARGS;

/** `rastos image convert RAW QCOW2`. */
export const convertCommand = defineCommand({
  meta: {
    name: "convert",
    description: "Write a raw image as QCOW2",
    details: `
      Clusters of zeros are left out. The same image gives the same bytes, which qemu-img does not
      promise.
    `,
  },
  args: CONVERT_ARGS,
  examples: [{ command: "rastos image convert disk.raw disk.qcow2", description: "For QEMU" }],
  run: async (context) => (await import("./convert-run.ts")).run(context),
});
