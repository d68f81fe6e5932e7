import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { AUR_ENVIRONMENT } from "./aur-args.ts";

const SEARCH_ARGS = {
  word: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "WORD",
    description: "All of them have to be found",
  },
  by: {
    type: "enum",
    options: ["name-desc", "name", "maintainer", "depends", "makedepends", "provides", "keywords"],
    default: "name-desc",
    valueHint: "FIELD",
    description: "Where to look",
  },
} as const satisfies ArgsSpec;

/** The arguments of `rastos aur search`. */
export type SearchArgs = typeof SEARCH_ARGS;

/** `rastos aur search WORD…`. */
export const searchCommand = defineCommand({
  meta: {
    name: "search",
    description: "Look for packages of the AUR",
    synonyms: ["find", "-Ss"],
    details: `
      Most voted ones come first. With --json an object with schema "rastos.aur-packages/1".
    `,
  },
  args: SEARCH_ARGS,
  examples: [{ command: "rastos aur search file manager", description: "By name and description" }],
  environment: AUR_ENVIRONMENT,
  run: async (context) => (await import("./search-run.ts")).run(context),
});
