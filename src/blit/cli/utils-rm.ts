import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { CONNECTION_ARGS } from "./connection-args.ts";

const RM_ARGS = {
  place: {
    type: "positional",
    repeatable: true,
    valueHint: "PLACE",
    completes: "path",
    description: "What to remove, here or on a server",
  },
  recursive: {
    type: "boolean",
    alias: "r",
    description: "Remove folders with all that is in them",
  },
  "dry-run": {
    type: "boolean",
    alias: "n",
    description: "Count what would be removed; change nothing",
  },
  yes: {
    type: "boolean",
    alias: "y",
    description: "Do not ask; needed where there is no terminal to ask on",
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blit utils rm`. */
export type RmArgs = typeof RM_ARGS;

/** `blit utils rm PLACE…`. */
export const rmCommand = defineCommand({
  meta: {
    name: "rm",
    description: "Remove files and folders, here or on a server",
    synonyms: ["remove", "delete", "del", "purge"],
    details: `
      Counts first, asks with the numbers, and removes nothing when there is more by then. No
      symbolic link is followed behind the last slash, nothing on another mount is touched,
      and what holds the working folder or the home folder is refused, as is the root of a
      module and everything in a read-only one.
    `,
  },
  args: RM_ARGS,
  examples: [
    { command: "blit utils rm nas:/files/notes.txt", description: "One file" },
    { command: "blit utils rm -r -n nas:/files/old", description: "Count what is in a folder" },
    { command: "blit utils rm -r --yes /srv/scratch", description: "From a script" },
  ],
  exitCodes: {
    0: "Everything is gone",
    1: "Refused, or not confirmed; nothing was removed",
    4: "Some entries could not be removed; each is named",
  },
  run: async (context) => (await import("./utils-rm-run.ts")).run(context),
});
