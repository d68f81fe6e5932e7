import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { CONNECTION_ARGS } from "./connection-args.ts";

const DU_ARGS = {
  place: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PLACE",
    completes: "path",
    description: "What to measure, here or on a server; the working folder if none is named",
  },
  depth: {
    type: "string",
    alias: "d",
    number: { minimum: 0, maximum: 4096 },
    valueHint: "N",
    description: "Show folders down to N levels below; 0, the default, is the sum alone",
  },
  sort: {
    type: "enum",
    options: ["size", "name"],
    default: "size",
    valueHint: "BY",
    description: "The largest first, or by name",
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blit utils du`. */
export type DuArgs = typeof DU_ARGS;

/** `blit utils du [PLACE…]`. */
export const duCommand = defineCommand({
  meta: {
    name: "du",
    description: "Show how much space folders take, here or on a server",
    synonyms: ["usage", "size"],
    details: `
      "On disk" is what the blocks of files and folders take; a file of several names counts
      once. "Size" is the sum of the files' sizes: more where there are holes, less where
      there are many small files.
    `,
  },
  args: DU_ARGS,
  examples: [
    { command: "blit utils du nas:/photos/", description: "A whole module" },
    { command: "blit utils du -d 1 /srv", description: "Each folder in /srv, the largest first" },
  ],
  exitCodes: {
    0: "Everything was measured",
    1: "Nothing could be measured",
    4: "Some of it could not be measured; each is named",
  },
  run: async (context) => (await import("./utils-du-run.ts")).run(context),
});
