import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { LIST_ARGS } from "./list.ts";

const LS_ARGS = {
  ...LIST_ARGS,
  long: {
    type: "boolean",
    alias: "l",
    description: "Type, size and time too, as blit list",
  },
} as const satisfies ArgsSpec;

/** `blit utils ls [PLACE…]`. */
export const lsCommand = defineCommand({
  meta: {
    name: "ls",
    description: "List the names in a folder, here or on a server, or the modules of a server",
    synonyms: ["dir"],
    details: `
      One name a line, sorted by its bytes, with a slash behind the names of folders. With
      --json each entry is the object that "blit list --json" prints.
    `,
  },
  args: LS_ARGS,
  examples: [
    { command: "blit utils ls nas:/photos/", description: "What is in a module" },
    { command: "blit utils ls -l nas:/photos/2026", description: "With sizes and times" },
  ],
  exitCodes: {
    0: "Everything was listed",
    1: "Nothing could be listed",
    4: "Some of it could not be listed; each is named",
  },
  run: async (context) => (await import("./list-run.ts")).run(context, !context.args.long),
});
