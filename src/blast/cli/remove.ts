import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { BLAST_GROUPS, DRY_RUN_ARG, INDEX_ARGS, PYTHON_ARG } from "./shared-args.ts";

const REMOVE_ARGS = {
  package: {
    type: "positional",
    repeatable: true,
    valueHint: "PKG",
    description: "What to remove",
  },
  group: {
    type: "string",
    valueHint: "NAME",
    description: "Take the name out of this dependency group",
  },
  optional: {
    type: "string",
    valueHint: "EXTRA",
    description: "Take the name out of these optional dependencies",
  },
  ...PYTHON_ARG,
  ...INDEX_ARGS,
  ...DRY_RUN_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast remove`. */
export type RemoveArgs = typeof REMOVE_ARGS;

/** `blast remove PKG…`. */
export const removeCommand = defineCommand({
  meta: {
    name: "remove",
    description: "Remove packages, and what only they needed",
    synonyms: ["uninstall", "rm"],
  },
  groups: BLAST_GROUPS,
  args: REMOVE_ARGS,
  examples: [{ command: "blast remove flask", description: "From project and environment" }],
  exitCodes: { 1: "It is not installed and not recorded, or something else still needs it" },
  run: async (context) => (await import("./remove-run.ts")).run(context),
});
