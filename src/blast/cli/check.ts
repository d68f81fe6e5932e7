import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { BLAST_GROUPS, INDEX_ARGS, PYTHON_ARG } from "./shared-args.ts";

const CHECK_ARGS = {
  repair: {
    type: "boolean",
    description: "Mend what can be mended from the store or the index",
  },
  ...PYTHON_ARG,
  ...INDEX_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blast check`. */
export type CheckArgs = typeof CHECK_ARGS;

/** `blast check`. */
export const checkCommand = defineCommand({
  meta: {
    name: "check",
    description: "Compare every installed file with what was installed",
    synonyms: ["verify", "doctor"],
    details: `
      Tells files that are missing, changed, owned by nobody or by two packages, requirements of
      the project and of packages that are not fulfilled, and an interpreter that was upgraded or
      removed. With --json each finding
      is one line, an object with schema "blast.check/1".
    `,
  },
  groups: BLAST_GROUPS,
  args: CHECK_ARGS,
  examples: [
    { command: "blast check", description: "Is everything as it was installed?" },
    { command: "blast check --repair", description: "Put it right" },
  ],
  exitCodes: { 1: "Something was found; with --repair: something could not be mended" },
  run: async (context) => (await import("./check-run.ts")).run(context),
});
