import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { DESCRIPTION_ARG } from "./snapshot-args.ts";

const CREATE_ARGS = {
  from: {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Copy the system in this folder",
    details: `
      "/" is the system that is running. Other file systems that are mounted in the folder stay out.
      Without it the snapshot is empty.
    `,
  },
  ...DESCRIPTION_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot create`. */
export type CreateArgs = typeof CREATE_ARGS;

/** `rastos snapshot create`. */
export const createCommand = defineCommand({
  meta: {
    name: "create",
    description: "Make a snapshot without parent: of a folder, or empty",
    synonyms: ["new", "init"],
    details: `
      The first one is number 0, the base; it makes the folders of the tree too. What is in /etc and
      /var becomes the snapshot's own etc and var. Files whose blocks the file system can share take
      no room; the room for the others is looked for first.

      With --json the new snapshot is printed, with schema "rastos.snapshot/1".
    `,
  },
  args: CREATE_ARGS,
  examples: [
    {
      command: "rastos snapshot create --root /mnt --from / -d base",
      description: "The running system becomes the base of a tree",
    },
  ],
  run: async (context) => (await import("./create-run.ts")).run(context),
});
