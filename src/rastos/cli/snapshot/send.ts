import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";
import { SNAPSHOT_ARG } from "./snapshot-args.ts";

const SEND_ARGS = {
  ...SNAPSHOT_ARG,
  target: {
    type: "positional",
    required: true,
    valueHint: "TARGET",
    completes: "path",
    description: "A file, - for standard output, a btrfs top level, or HOST:[DIR]",
  },
  parent: {
    type: "string",
    valueHint: "SNAPSHOT",
    description: "Send only what this snapshot has not; the receiver must have it",
    details: "Without it the nearest one is taken that a disk or host has; a file gets everything.",
  },
  full: { type: "boolean", description: "Send everything, whatever the receiver has" },
  zstd: { type: "boolean", description: "Compress what goes into a file or to a host" },
  ...CHANGE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `rastos snapshot send`. */
export type SendArgs = typeof SEND_ARGS;

/** `rastos snapshot send SNAPSHOT TARGET`. */
export const sendCommand = defineCommand({
  meta: {
    name: "send",
    description: "Send a snapshot to a file, another disk or another machine",
    synonyms: ["export"],
    details: `
      Root, etc and var travel together, with description, times and system file, and a checksum
      over all of it. A disk is the mounted top level of another btrfs. A host is reached by ssh and
      needs rastos too; DIR is the top level there, without it its running system is meant.

      With --json one object is printed at the end, with schema "rastos.sent/1": snapshot, target,
      parent and, for a file, bytes; for a disk also received, the number there. (Not with "-".)
    `,
  },
  args: SEND_ARGS,
  examples: [
    { command: "rastos snapshot send 3 /mnt/backup", description: "To another btrfs" },
    { command: "rastos snapshot send 3 root@nas:/srv/top --zstd", description: "Over ssh" },
    { command: "rastos snapshot send 3 base.rastos --zstd", description: "Into a file" },
  ],
  run: async (context) => (await import("./send-run.ts")).run(context),
});
