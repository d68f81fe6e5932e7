import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ADD_ARGS, LOOK_ARGS } from "./packages-args.ts";

const PLAN_ARGS = {
  name: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "NAME",
    description: "What would be installed: packages, groups, name>=version",
  },
  remove: {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "A package that would be removed",
  },
  upgrade: { type: "boolean", description: "Everything would be brought up to date" },
  recursive: { type: "boolean", description: "What nothing needs any more would go too" },
  file: ADD_ARGS.file,
  replace: ADD_ARGS.replace,
  refresh: { ...ADD_ARGS.refresh, description: "Fetch the databases, aside, and plan by them" },
  ...LOOK_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages plan`. */
export type PlanArgs = typeof PLAN_ARGS;

/** `rastos packages plan [NAME…]`. */
export const planCommand = defineCommand({
  meta: {
    name: "plan",
    description: "Show what installing, upgrading and removing would change",
    details: `
      Changes nothing, and takes no lock.

      With --json an object with schema "rastos.transaction/1" is printed: changes, each with kind,
      name, oldVersion, newVersion, repository, downloadBytes and installedBytes, and notes.
    `,
  },
  args: PLAN_ARGS,
  examples: [
    { command: "rastos packages plan vim --remove nano", description: "Both at once" },
    { command: "rastos packages plan --upgrade --refresh", description: "What is new" },
  ],
  run: async (context) => (await import("./plan-run.ts")).run(context),
});
