import { type ArgsSpec, defineCommand } from "../../../kit/cli/command.ts";
import { SOURCE_ARGS } from "./source-args.ts";

const INSTALL_ARGS = {
  disk: {
    type: "positional",
    required: true,
    completes: "path",
    valueHint: "DISK",
    description: "The disk, as /dev/sda; all of it is used. A file stands for a disk too",
  },
  system: {
    type: "positional",
    required: false,
    completes: "path",
    valueHint: "SYSTEM.TOML",
    description: "The declared system",
  },
  ...SOURCE_ARGS,
  wipe: {
    type: "boolean",
    description: "Remove what is on the disk now, for good",
  },
  work: {
    type: "string",
    default: "/var/tmp",
    valueHint: "DIR",
    completes: "folder",
    description: "Where the system is put together before it is written",
  },
  seed: {
    type: "string",
    valueHint: "TEXT",
    description: "Derive the identifiers from this text; without it they are new ones",
  },
  yes: { type: "boolean", description: "Do not ask" },
  "dry-run": { type: "boolean", description: "Show what would be done, and do nothing" },
} as const satisfies ArgsSpec;

/** The arguments of `rastos image install`. */
export type InstallArgs = typeof INSTALL_ARGS;

/** `rastos image install DISK [SYSTEM.TOML]`. */
export const installCommand = defineCommand({
  meta: {
    name: "install",
    description: "Install a system onto a disk",
    details: `
      The disk gets what an image gets: a GPT with a BIOS boot partition, a boot partition and a
      btrfs with snapshot 0 and a deployment of it that boots.

      First the disk is looked at, the system put together and everything counted; then the plan
      is shown, and you type the disk's name. Nothing is written before. A disk of which anything
      is mounted, used as swap or part of a RAID is refused; one that holds anything is refused
      without --wipe. The partition table is written last: what is not finished does not boot.
    `,
  },
  args: INSTALL_ARGS,
  examples: [
    { command: "rastos image install /dev/sda system.toml", description: "Onto an empty disk" },
    {
      command: "rastos image install /dev/sda system.toml --wipe --dry-run",
      description: "What would become of a disk in use before",
    },
  ],
  exitCodes: {
    0: "The system is on the disk",
    1: "It is not; the message says what the disk holds",
  },
  run: async (context) => (await import("./install-run.ts")).run(context),
});
