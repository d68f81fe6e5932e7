import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { PYTHON_ARG } from "./shared-args.ts";

const TREE_ARGS = {
  package: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PKG",
    description: "Where to begin; with nothing, what nothing else needs",
  },
  depth: {
    type: "string",
    alias: "d",
    valueHint: "N",
    number: { minimum: 0 },
    description: "Show no more than this many levels",
  },
  invert: {
    type: "boolean",
    alias: "reverse",
    description: "Show what needs each package, in place of what it needs",
  },
  ...PYTHON_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast tree`. */
export type TreeArgs = typeof TREE_ARGS;

/** `blast tree [PKG…]`. */
export const treeCommand = defineCommand({
  meta: {
    name: "tree",
    description: "Show what needs what, as a tree",
    details: `
      Reads the metadata of what is installed. A package that was shown before is marked (*) and
      its branches are left out. What is missing or does not fit is told.
    `,
  },
  args: TREE_ARGS,
  examples: [
    { command: "blast tree", description: "The whole environment" },
    { command: "blast tree --invert idna", description: "Who needs idna" },
  ],
  run: async (context) => (await import("./tree-run.ts")).run(context),
});
