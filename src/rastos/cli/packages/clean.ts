import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { PACKAGE_CHANGE_ARGS } from "./packages-args.ts";

const CLEAN_ARGS = {
  all: { type: "boolean", description: "Also packages that are installed" },
  ...PACKAGE_CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages clean`. */
export type CleanArgs = typeof CLEAN_ARGS;

/** `rastos packages clean`. */
export const cleanCommand = defineCommand({
  meta: {
    name: "clean",
    description: "Remove fetched package files that are not installed any more",
    synonyms: ["-Sc", "-Scc"],
    details: `
      Of a tree of snapshots a new one is made without them; older ones keep theirs until they are
      removed. What \`rastos apply\` has fetched lies beside the snapshots, once for all of them,
      and goes at once.

      With --json an object with schema "rastos.cleaned/1": files, bytes, isDryRun, snapshot.
    `,
  },
  args: CLEAN_ARGS,
  examples: [{ command: "rastos packages clean --dry-run", description: "What would go" }],
  run: async (context) => (await import("./clean-run.ts")).run(context),
});
