import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { LOOK_ARGS } from "./packages-args.ts";

const SEARCH_ARGS = {
  word: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "WORD",
    description: "Regular expressions, each of which must be found",
  },
  ...LOOK_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages search`. */
export type SearchArgs = typeof SEARCH_ARGS;

/** `rastos packages search WORD…`. */
export const searchCommand = defineCommand({
  meta: {
    name: "search",
    description: "Look for packages in the repositories",
    synonyms: ["find", "-Ss"],
    details: `
      Searches names, descriptions, groups and what is provided, in the databases as they were last
      fetched.

      With --json each package is one line, an object with schema "rastos.package/1".
    `,
  },
  args: SEARCH_ARGS,
  examples: [{ command: "rastos packages search '^python-' http", description: "Both words" }],
  exitCodes: { 0: "Something was found", 1: "Nothing was found" },
  run: async (context) => (await import("./search-run.ts")).run(context),
});
