import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { CONNECTION_ARGS } from "./connection-args.ts";

/** The arguments of `blit list` and `blit utils ls`. */
export const LIST_ARGS = {
  path: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PLACE",
    completes: "path",
    description: "A path, a place on a server, or a server; the working folder if none is named",
  },
  ...CONNECTION_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blit list`. */
export type ListArgs = typeof LIST_ARGS;

/** `blit list [PATH…]`. */
export const listCommand = defineCommand({
  meta: {
    name: "list",
    description: "List files and folders, here or on a server, or the modules of a server",
    synonyms: ["ls", "dir", "ll"],
    details: `
      Prints type, size, modification time and name of each entry, and where a symbolic link
      points. Control characters in names are shown as escapes.

      Places on servers are written "server:/module/path", or "server://path" for what the
      server exports by default; "server" or "server:port" alone lists its modules.

      With --json each entry is one line, an object with schema "blit.list/1", path, type,
      size, mtime, mtimeNs, mode and, for a link, target. A name that is no UTF-8 also has
      "pathBytes", its bytes in base64. Modules have the schema "blit.modules/1": name, place,
      readOnly and comment.
    `,
  },
  args: LIST_ARGS,
  examples: [
    { command: "blit list /mnt/backup", description: "List a folder" },
    { command: "blit list nas:9031", description: "The modules of a server" },
    { command: "blit list nas:/photos/2026", description: "A folder of a module" },
    { command: "blit list --json photos", description: "One JSON object per line" },
  ],
  exitCodes: {
    0: "Everything was listed",
    1: "Nothing could be listed",
    4: "Some of it could not be listed; each is named",
  },
  run: async (context) => (await import("./list-run.ts")).run(context),
});
