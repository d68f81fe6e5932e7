import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { CONNECTION_ARGS } from "./connection-args.ts";

const DF_ARGS = {
  place: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PLACE",
    completes: "path",
    description: "A place on the file system; the working folder if none is named",
  },
  inodes: {
    type: "boolean",
    alias: "i",
    description: "Count inodes instead of bytes",
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blit utils df`. */
export type DfArgs = typeof DF_ARGS;

/** `blit utils df [PLACE…]`. */
export const dfCommand = defineCommand({
  meta: {
    name: "df",
    description: "Show how full file systems are, here or on a server",
    synonyms: ["free", "space"],
  },
  args: DF_ARGS,
  examples: [
    { command: "blit utils df nas:/photos/", description: "Where a module lies" },
    { command: "blit utils df . nas:/photos/", description: "Here and there" },
  ],
  exitCodes: {
    0: "Every place was looked at",
    1: "None could be looked at",
    4: "Some could not be looked at; each is named",
  },
  run: async (context) => (await import("./utils-df-run.ts")).run(context),
});
