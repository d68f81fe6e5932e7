import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ROOT_ARGS } from "../root-args.ts";

const TREE_ARGS = ROOT_ARGS satisfies ArgsSpec;

/** The arguments of `rastos snapshot tree`. */
export type TreeArgs = typeof TREE_ARGS;

/** `rastos snapshot tree`, also `rastos tree`. */
export const treeCommand = defineCommand({
  meta: {
    name: "tree",
    description: "Show the snapshots as a tree",
    synonyms: ["list", "ls", "current"],
    details: `
      "*" marks the snapshot that boots next. Names of branches stand in brackets.

      With --json the tree is printed, with schema "rastos.tree/1": root, defaultSnapshot, and of
      each of the snapshots id, parent, branch, description, created, isPinned, isDefault, uuid and
      the names of its deployments.
    `,
  },
  args: TREE_ARGS,
  examples: [
    { command: "rastos tree", description: "Of the running system" },
    { command: "rastos tree --root /mnt --json", description: "Of another one, for a program" },
  ],
  run: async (context) => (await import("./tree-run.ts")).run(context),
});
