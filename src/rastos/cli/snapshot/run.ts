import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { DESCRIPTION_ARG, SNAPSHOT_ARG } from "./snapshot-args.ts";

const RUN_ARGS = {
  ...DESCRIPTION_ARG,
  ...CHANGE_ARGS,
  ...SNAPSHOT_ARG,
  command: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "COMMAND",
    description: "The program and its arguments",
  },
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot run`. */
export type RunArgs = typeof RUN_ARGS;

/** `rastos snapshot run SNAPSHOT COMMAND…`, also `rastos run SNAPSHOT COMMAND…`. */
export const runCommand = defineCommand({
  meta: {
    name: "run",
    description: "Run a command in a clone of a snapshot, and keep the clone if it succeeds",
    synonyms: ["exec"],
    details: `
      As "rastos chroot", without a shell: exit code 0 keeps the clone as a child of the snapshot,
      every other code, Ctrl-C and SIGTERM discard it. Flags stand before the snapshot; everything
      behind it belongs to the command. The exit code is the command's.
    `,
  },
  args: RUN_ARGS,
  passThrough: true,
  examples: [
    { command: "rastos run 3 pacman -Syu --noconfirm", description: "Upgrade in a clone of 3" },
  ],
  exitCodes: { 0: "The clone was kept" },
  run: async (context) => (await import("./run-run.ts")).run(context),
});
