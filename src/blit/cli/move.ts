import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  TRANSFER_ARGS,
  TRANSFER_ENVIRONMENT,
  TRANSFER_EXIT_CODES,
  TRANSFER_GROUPS,
  TRANSFER_REMOTE_DETAILS,
} from "./transfer-args.ts";

const MOVE_ARGS = {
  source: {
    type: "positional",
    repeatable: true,
    valueHint: "SRC",
    completes: "path",
    description: "What to move; a slash at the end means the contents of the folder",
  },
  target: {
    type: "positional",
    valueHint: "DST",
    completes: "path",
    description: "Where to; must be a folder where there are several sources",
  },
  ...TRANSFER_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blit move`. */
export type MoveArgs = typeof MOVE_ARGS;

/** `blit move SRC… DST`. */
export const moveCommand = defineCommand({
  meta: {
    name: "move",
    description: "Move files and folders, also between file systems",
    synonyms: ["mv", "rename", "ren"],
    details: `
      Within a file system a move is a rename. Between file systems each source file is
      removed only after its copy is complete; one that the target has already is compared by
      content. Slashes mean the same as for copy.

${TRANSFER_REMOTE_DETAILS}
    `,
  },
  args: MOVE_ARGS,
  groups: TRANSFER_GROUPS,
  examples: [
    { command: "blit move build /mnt/archive/", description: "Make /mnt/archive/build" },
    { command: "blit move old/ nas:/archive/old/", description: "Move a folder to a server" },
    { command: "blit move *.iso /mnt/images/", description: "Move several files into a folder" },
  ],
  exitCodes: TRANSFER_EXIT_CODES,
  environment: TRANSFER_ENVIRONMENT,
  run: async (context) => (await import("./move-run.ts")).run(context),
});
