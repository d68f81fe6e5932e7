import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { DRY_RUN_ARG } from "./shared-args.ts";

const CLEAN_ARGS = {
  package: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PKG",
    description: "Remove what the cache holds of these packages",
  },
  all: { type: "boolean", description: "Remove the whole cache" },
  ...DRY_RUN_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast clean`. */
export type CleanArgs = typeof CLEAN_ARGS;

/** `blast clean`. */
export const cleanCommand = defineCommand({
  meta: {
    name: "clean",
    description: "Make the cache and the store of wheels smaller",
    synonyms: ["cache", "prune"],
    details: `
      Without arguments: leftovers of interrupted runs, what was not used for longest while the
      store is above [cache] max_size, and environments in the central list that are gone.
      Environments keep their files: what the store holds of them is only linked.
    `,
  },
  args: CLEAN_ARGS,
  examples: [
    { command: "blast clean", description: "Down to the limit" },
    { command: "blast clean --all", description: "Everything that can be fetched again" },
  ],
  run: async (context) => (await import("./clean-run.ts")).run(context),
});
