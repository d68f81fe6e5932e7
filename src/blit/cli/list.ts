import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const LIST_ARGS = {
  path: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PATH",
    completes: "path",
    description: "What to list; the working folder if nothing is named",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blit list`. */
export type ListArgs = typeof LIST_ARGS;

/** `blit list [PATH…]`. */
export const listCommand = defineCommand({
  meta: {
    name: "list",
    description: "List files and folders",
    synonyms: ["ls", "dir", "ll"],
    details: `
      Prints type, size, modification time and name of each entry, and where a symbolic link
      points. Control characters in names are shown as escapes.

      With --json each entry is one line, an object with schema "blit.list/1", path, type,
      size, mtime, mtimeNs, mode and, for a link, target. A name that is no UTF-8 also has
      "pathBytes", its bytes in base64.
    `,
  },
  args: LIST_ARGS,
  examples: [
    { command: "blit list /mnt/backup", description: "List a folder" },
    { command: "blit list --json photos", description: "The same, as one JSON object per line" },
  ],
  exitCodes: {
    0: "Everything was listed",
    1: "Nothing could be listed",
    4: "Some of it could not be listed; each is named",
  },
  run: async (context) => (await import("./list-run.ts")).run(context),
});
