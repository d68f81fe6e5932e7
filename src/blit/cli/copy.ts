import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  TRANSFER_ARGS,
  TRANSFER_ENVIRONMENT,
  TRANSFER_EXIT_CODES,
  TRANSFER_GROUPS,
  TRANSFER_REMOTE_DETAILS,
} from "./transfer-args.ts";

const COPY_ARGS = {
  source: {
    type: "positional",
    repeatable: true,
    valueHint: "SRC",
    completes: "path",
    description: "What to copy; a slash at the end means the contents of the folder",
  },
  target: {
    type: "positional",
    valueHint: "DST",
    completes: "path",
    description: "Where to; must be a folder where there are several sources",
  },
  ...TRANSFER_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blit copy`. */
export type CopyArgs = typeof COPY_ARGS;

/** `blit copy SRC… DST`. */
export const copyCommand = defineCommand({
  meta: {
    name: "copy",
    description: "Copy files and folders",
    synonyms: ["cp", "clone", "sync", "push", "pull"],
    details: `
      A source without slash at its end is copied as an entry: "copy a b/" makes b/a. A
      source with slash means its contents: "copy a/ b" merges them into b. Without slashes,
      "copy a b" makes b/a if b is an existing folder, else b.

      Mode, times, links, holes, extended attributes and, as root, owners are kept. A file
      whose size and modification time are equal on both sides is left alone. A final name
      never holds partial content.

${TRANSFER_REMOTE_DETAILS}
    `,
  },
  args: COPY_ARGS,
  groups: TRANSFER_GROUPS,
  examples: [
    { command: "blit copy photos /mnt/backup/", description: "Make /mnt/backup/photos" },
    { command: "blit copy photos/ /mnt/backup", description: "Merge the contents into the folder" },
    {
      command: "blit copy photos/ nas:/backup/photos/",
      description: "Merge the contents into a folder of a module of the server nas",
    },
    {
      command: "blit copy --exclude node_modules/ -n src/ dst/",
      description: "Show what would be copied, without node_modules",
    },
  ],
  exitCodes: TRANSFER_EXIT_CODES,
  environment: TRANSFER_ENVIRONMENT,
  run: async (context) => (await import("./copy-run.ts")).run(context),
});
