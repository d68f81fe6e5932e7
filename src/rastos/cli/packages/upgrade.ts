import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ADD_ARGS, PACKAGE_CHANGE_ARGS } from "./packages-args.ts";

const UPGRADE_ARGS = {
  name: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "NAME",
    description: "Packages to install in the same step",
  },
  replace: ADD_ARGS.replace,
  ...PACKAGE_CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages upgrade`. */
export type UpgradeArgs = typeof UPGRADE_ARGS;

/** `rastos packages upgrade`. */
export const upgradeCommand = defineCommand({
  meta: {
    name: "upgrade",
    description: "Fetch the databases and bring every package up to date, in a new snapshot",
    synonyms: ["update", "sysupgrade", "-Syu", "-Su"],
    details: `As "rastos packages install".`,
  },
  args: UPGRADE_ARGS,
  examples: [
    { command: "rastos packages upgrade --dry-run", description: "What is new" },
    { command: "rastos packages upgrade", description: "In a new snapshot" },
  ],
  run: async (context) => (await import("./upgrade-run.ts")).run(context),
});
