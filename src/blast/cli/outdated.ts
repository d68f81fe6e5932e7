import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { BLAST_GROUPS, INDEX_ARGS, PYTHON_ARG } from "./shared-args.ts";

const OUTDATED_ARGS = {
  pre: { type: "boolean", description: "Count pre-releases as newer versions" },
  ...PYTHON_ARG,
  ...INDEX_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blast outdated`. */
export type OutdatedArgs = typeof OUTDATED_ARGS;

/** `blast outdated`. */
export const outdatedCommand = defineCommand({
  meta: {
    name: "outdated",
    description: "List packages of which there are newer versions",
    details: `
      The newest version that this interpreter can use, beside the installed one. What the
      project's own bounds forbid is marked.
    `,
  },
  groups: BLAST_GROUPS,
  args: OUTDATED_ARGS,
  examples: [{ command: "blast outdated", description: "What an update could bring" }],
  run: async (context) => (await import("./outdated-run.ts")).run(context),
});
