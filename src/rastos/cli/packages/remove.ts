import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { PACKAGE_CHANGE_ARGS } from "./packages-args.ts";

const REMOVE_ARGS = {
  name: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "NAME",
    description: "Installed packages or groups",
  },
  recursive: {
    type: "boolean",
    description: "Also what nothing needs any more then",
  },
  ...PACKAGE_CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages remove`. */
export type RemoveArgs = typeof REMOVE_ARGS;

/** `rastos packages remove NAME…`, also `rastos remove NAME…`. */
export const removeCommand = defineCommand({
  meta: {
    name: "remove",
    description: "Remove packages, in a new snapshot",
    synonyms: ["uninstall", "delete", "rm", "-R", "-Rs"],
    details: `
      As "rastos packages install". In a folder that is no tree of snapshots it asks before.
    `,
  },
  args: REMOVE_ARGS,
  examples: [{ command: "rastos remove --recursive vim", description: "With its dependencies" }],
  run: async (context) => (await import("./remove-run.ts")).run(context),
});
