import type { ArgsSpec } from "../../../kit/cli/command.ts";

/** The flags that say what system a disk gets. */
export const SOURCE_ARGS = {
  base: {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Begin with the system in this folder",
    details: "Without packages and settings to add it is used where it is, and not copied.",
  },
  "esp-size": {
    type: "string",
    default: "512M",
    valueHint: "SIZE",
    description: "Size of the boot partition, which holds a kernel for every system that boots",
  },
  description: {
    type: "string",
    default: "base",
    valueHint: "TEXT",
    description: "What snapshot 0 is called",
  },
  cache: {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Where downloaded packages are kept",
  },
  gpg: {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "GnuPG's folder with the keys of those who sign packages",
  },
} as const satisfies ArgsSpec;

/** The arguments of every command that makes a disk. */
export type SourceArgs = typeof SOURCE_ARGS;
