import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { DESTROY_ARGS } from "../root-args.ts";

const DEL_ARGS = {
  snapshot: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "SNAPSHOT",
    description: "Numbers of snapshots, or names of branches",
  },
  tree: {
    type: "boolean",
    description: "Also what descends from them",
  },
  force: {
    type: "boolean",
    description: "Also what is pinned, deployed or the parent of another one",
    details: "Children that stay become children of the next ancestor.",
  },
  ...DESTROY_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot del`. */
export type DelArgs = typeof DEL_ARGS;

/** `rastos snapshot del SNAPSHOT…`, also `rastos del SNAPSHOT…`. */
export const delCommand = defineCommand({
  meta: {
    name: "del",
    description: "Remove snapshots",
    synonyms: ["delete", "remove", "rm"],
    details: `
      Their numbers are not given out again. The room comes back when the file system has tidied up
      behind the command, a moment later.

      With --json the numbers are printed, with schema "rastos.removed/1".
    `,
  },
  args: DEL_ARGS,
  examples: [
    { command: "rastos del 3", description: "Ask, and remove it" },
    { command: "rastos del --tree --yes 3", description: "With its descendants, unasked" },
  ],
  run: async (context) => (await import("./del-run.ts")).run(context),
});
