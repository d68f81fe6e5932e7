import type { ArgsSpec } from "../../kit/cli/command.ts";

/** The flag of every command that works on a system. */
export const ROOT_ARGS = {
  root: {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Work on the system in this folder, the mounted top level of a btrfs",
    details: "Without it, on the system that is running.",
  },
} as const satisfies ArgsSpec;

/** The flags of every command that changes something. */
export const CHANGE_ARGS = {
  ...ROOT_ARGS,
  "dry-run": {
    type: "boolean",
    description: "Show what would be done, and do nothing",
  },
} as const satisfies ArgsSpec;

/** The flags of every command that destroys something. */
export const DESTROY_ARGS = {
  ...CHANGE_ARGS,
  yes: {
    type: "boolean",
    description: "Do not ask",
  },
} as const satisfies ArgsSpec;
