import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { ADD_ARGS, PACKAGE_CHANGE_ARGS } from "./packages-args.ts";

const INSTALL_ARGS = {
  name: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "NAME",
    description: "Packages, groups, name>=version, repository/name",
  },
  remove: {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "A package to remove in the same step",
  },
  needed: { type: "boolean", description: "Leave alone what is installed in that version" },
  "as-dependencies": { type: "boolean", description: "As if they were pulled in by others" },
  ...ADD_ARGS,
  ...PACKAGE_CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos packages install`. */
export type InstallArgs = typeof INSTALL_ARGS;

/** `rastos packages install NAME…`, also `rastos install NAME…`. */
export const installCommand = defineCommand({
  meta: {
    name: "install",
    description: "Install packages, in a new snapshot",
    synonyms: ["add", "-S", "-U"],
    details: `
      The packages are installed into a clone of the snapshot that boots, or of --snapshot. If all
      goes well the clone becomes a new snapshot, else it is gone. With --root of a folder that is
      no tree of snapshots that folder is changed.

      With --json an object with schema "rastos.transaction/1" is printed: changes, notes, isDryRun,
      and snapshot, the number of the new one.
    `,
  },
  args: INSTALL_ARGS,
  examples: [
    { command: "rastos install vim", description: "In a new snapshot" },
    { command: "rastos install --live htop", description: "And in the running system" },
    { command: "rastos install --root /mnt/new base", description: "Into a folder" },
  ],
  run: async (context) => (await import("./install-run.ts")).run(context),
});
