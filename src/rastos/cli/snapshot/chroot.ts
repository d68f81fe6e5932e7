import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { DESCRIPTION_ARG, SNAPSHOT_ARG } from "./snapshot-args.ts";

const CHROOT_ARGS = {
  ...SNAPSHOT_ARG,
  ...DESCRIPTION_ARG,
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot chroot`. */
export type ChrootArgs = typeof CHROOT_ARGS;

/** `rastos snapshot chroot SNAPSHOT`, also `rastos chroot SNAPSHOT`. */
export const chrootCommand = defineCommand({
  meta: {
    name: "chroot",
    description: "Open a shell in a clone of a snapshot; `exit 0` keeps it as a new snapshot",
    synonyms: ["shell", "enter"],
    details: `
      The shell is root in a writable clone, with /proc, /sys and /dev, an empty /run and /tmp, and
      the network of the machine. When it ends with "exit 0" the clone becomes a child of the
      snapshot; with any other code (exit 1), or when rastos is interrupted, it is removed.

      Others may use the tree meanwhile. The exit code is the shell's. With --json the new snapshot
      is printed when it ends, with schema "rastos.snapshot/1".
    `,
  },
  args: CHROOT_ARGS,
  examples: [{ command: "rastos chroot 3", description: "exit 0 saves, exit 1 discards" }],
  exitCodes: { 0: "The clone was kept" },
  run: async (context) => (await import("./chroot-run.ts")).run(context),
});
