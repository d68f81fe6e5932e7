import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { CONNECTION_ARGS } from "./connection-args.ts";

const FIND_ARGS = {
  place: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "FOLDER",
    completes: "folder",
    description: "Where to search, here or on a server; the working folder if none is named",
  },
  name: {
    type: "string",
    valueHint: "PATTERN",
    description: "Names that a shell pattern fits, such as '*.jpg'; the last name alone counts",
  },
  iname: {
    type: "string",
    valueHint: "PATTERN",
    description: "The same, capitals or not",
  },
  type: {
    type: "enum",
    options: ["file", "folder", "symlink", "special"],
    valueHint: "TYPE",
    description: "Entries of one type only",
  },
  "min-size": {
    type: "string",
    valueHint: "SIZE",
    description: "No smaller than this: 500, 20K, 1.5M, 2G (1024 to the K)",
  },
  "max-size": {
    type: "string",
    valueHint: "SIZE",
    description: "No larger than this",
  },
  "newer-than": {
    type: "string",
    valueHint: "WHEN",
    description: "Modified since then: a date, or an age such as 90s, 15m, 12h, 7d, 2w",
  },
  "older-than": {
    type: "string",
    valueHint: "WHEN",
    description: "Modified before then",
  },
  limit: {
    type: "string",
    number: { minimum: 1 },
    valueHint: "N",
    description: "Stop after N results",
  },
  long: {
    type: "boolean",
    alias: "l",
    description: "Type, size and time before each name",
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blit utils find`. */
export type FindArgs = typeof FIND_ARGS;

/** `blit utils find [FOLDER…]`. */
export const findCommand = defineCommand({
  meta: {
    name: "find",
    description: "Find entries by name, type, size and time, here or on a server",
    synonyms: ["search", "locate"],
    details: `
      Prints a place a line, as it can be given to other commands, in the order in which the
      folders hold them. Symbolic links are not followed. Several conditions must all hold;
      a size counts for what is no folder.

      A daemon gives a million results at most; that there are more is told.
    `,
  },
  args: FIND_ARGS,
  examples: [
    { command: "blit utils find --name '*.iso' nas:/files/", description: "By name, on a server" },
    {
      command: "blit utils find --type file --min-size 1G --older-than 30d /srv",
      description: "Large files that nobody has changed for a month",
    },
  ],
  exitCodes: {
    0: "The search is complete, whether or not something was found",
    1: "A folder cannot be searched at all",
    4: "Parts could not be searched, or the limit was reached at the daemon",
  },
  run: async (context) => (await import("./utils-find-run.ts")).run(context),
});
