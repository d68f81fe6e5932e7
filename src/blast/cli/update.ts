import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  BLAST_GROUPS,
  BUILD_ARGS,
  DRY_RUN_ARG,
  INDEX_ARGS,
  PYTHON_ARG,
  RESOLVE_ARGS,
} from "./shared-args.ts";

const UPDATE_ARGS = {
  package: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PKG",
    description: "What to update; everything if nothing is named",
  },
  ...PYTHON_ARG,
  ...RESOLVE_ARGS,
  ...INDEX_ARGS,
  ...BUILD_ARGS,
  ...DRY_RUN_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast update`. */
export type UpdateArgs = typeof UPDATE_ARGS;

/** `blast update [PKG…]`. */
export const updateCommand = defineCommand({
  meta: {
    name: "update",
    description: "Take the newest versions that the project allows",
    synonyms: ["upgrade"],
    details: `
      Lets go of the pins in pylock.toml, of the named packages or of all, and brings the
      environment up to date. The bounds in the project's files stay as they are.
    `,
  },
  groups: BLAST_GROUPS,
  args: UPDATE_ARGS,
  examples: [
    { command: "blast update", description: "Everything" },
    { command: "blast update flask werkzeug", description: "Two packages only" },
  ],
  run: async (context) => (await import("./update-run.ts")).run(context),
});
