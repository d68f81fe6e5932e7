import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  TRANSFER_ARGS,
  TRANSFER_ENVIRONMENT,
  TRANSFER_EXIT_CODES,
  TRANSFER_GROUPS,
  TRANSFER_REMOTE_DETAILS,
} from "./transfer-args.ts";

const MIRROR_ARGS = {
  source: {
    type: "positional",
    valueHint: "SRC",
    completes: "path",
    description: "The folder to mirror; a slash at the end means its contents",
  },
  target: {
    type: "positional",
    valueHint: "DST",
    completes: "path",
    description: "The folder that becomes equal to it",
  },
  ...TRANSFER_ARGS,
  "max-delete": {
    type: "string",
    number: { minimum: 0 },
    valueHint: "N",
    description: "Refuse, before anything is deleted, to delete more than N entries",
    group: "Safety",
  },
  "allow-empty-source": {
    type: "boolean",
    description: "Mirror an empty source although that empties the target",
    group: "Safety",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blit mirror`. */
export type MirrorArgs = typeof MIRROR_ARGS;

/** `blit mirror SRC DST`. */
export const mirrorCommand = defineCommand({
  meta: {
    name: "mirror",
    description: "Make a folder equal to another, deleting what is only in the target",
    synonyms: ["mir", "rsync"],
    details: `
      The slash at the end of SRC means the same as for copy: "mirror a b/" makes b/a equal
      to a, "mirror a/ b/" makes b equal to a.

      Nothing is deleted before every copy has succeeded, after an error while listing,
      through a symbolic link or across a mount point. Where something would be deleted, the
      command asks on a terminal and needs --yes without one.

${TRANSFER_REMOTE_DETAILS}
    `,
  },
  args: MIRROR_ARGS,
  groups: TRANSFER_GROUPS,
  examples: [
    { command: "blit mirror -n photos/ /mnt/backup/", description: "Show what would change" },
    {
      command: "blit mirror --yes --max-delete 100 photos/ /mnt/backup/",
      description: "Mirror from a script, deleting at most 100 entries",
    },
    {
      command: "blit mirror nas:/backup/photos/ photos/",
      description: "Fetch what has changed on the server nas, delete what is gone there",
    },
    {
      command: "blit mirror --backup-dir /mnt/old photos/ /mnt/backup/",
      description: "Keep what would be overwritten or deleted",
    },
  ],
  exitCodes: TRANSFER_EXIT_CODES,
  environment: TRANSFER_ENVIRONMENT,
  run: async (context) => (await import("./mirror-run.ts")).run(context),
});
