import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const PROFILE_ARGS = {
  folder: {
    type: "positional",
    required: false,
    valueHint: "FOLDER",
    completes: "folder",
    description: "Where to measure: what is copied lies here for the moment. None: no measuring",
  },
  "size-mib": {
    type: "string",
    number: { minimum: 1, maximum: 65_536 },
    valueHint: "N",
    description: "Size of the large file in MiB; 256 unless given",
  },
  files: {
    type: "string",
    number: { minimum: 1, maximum: 1_000_000 },
    valueHint: "N",
    description: "How many small files of 4 KiB; 5000 unless given",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blit utils profile`. */
export type ProfileArgs = typeof PROFILE_ARGS;

/** `blit utils profile [FOLDER]`. */
export const profileCommand = defineCommand({
  meta: {
    name: "profile",
    description: "Capture how fast this machine copies, to compare or to report",
    synonyms: ["bench", "benchmark"],
    details: `
      Shows the machine, and what the planner has learnt from earlier runs. With FOLDER it
      also makes a large file and many small ones there, copies them with the same engine as
      "blit copy", looks at them once more without a change, and removes everything.

      Nothing is sent anywhere, and nothing of this is learnt from. The figures are those of a
      warm cache: the disk itself is slower.
    `,
  },
  args: PROFILE_ARGS,
  examples: [
    { command: "blit utils profile /mnt/backup", description: "Measure on one file system" },
    { command: "blit utils profile --json /mnt/backup", description: "To keep beside others" },
  ],
  exitCodes: { 0: "Done", 1: "FOLDER cannot be used", 4: "Something could not be removed" },
  run: async (context) => (await import("./utils-profile-run.ts")).run(context),
});
