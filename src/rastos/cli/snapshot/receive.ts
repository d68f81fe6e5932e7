import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";

const RECEIVE_ARGS = {
  source: {
    type: "positional",
    required: false,
    valueHint: "FILE",
    completes: "path",
    description: "A file that `rastos snapshot send` has written, or - for standard input",
  },
  list: { type: "boolean", description: "Receive nothing, and print what is here, for a sender" },
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot receive`. */
export type ReceiveArgs = typeof RECEIVE_ARGS;

/** `rastos snapshot receive FILE`. */
export const receiveCommand = defineCommand({
  meta: {
    name: "receive",
    description: "Make a snapshot of what `rastos snapshot send` has sent",
    synonyms: ["import"],
    details: `
      It gets a number of its own here, and counts only when all of it has come and its checksum is
      right. Compressed streams are recognised.

      With --json the new snapshot is printed, with schema "rastos.snapshot/1"; with --list too, all
      of them with what they are known by elsewhere, with schema "rastos.have/1".
    `,
  },
  args: RECEIVE_ARGS,
  examples: [{ command: "rastos snapshot receive base.rastos", description: "From a file" }],
  run: async (context) => (await import("./receive-run.ts")).run(context),
});
