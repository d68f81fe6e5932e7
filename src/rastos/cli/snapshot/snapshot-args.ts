import type { ArgsSpec } from "../../../kit/cli/command.ts";

/** The argument that names a snapshot. */
export const SNAPSHOT_ARG = {
  snapshot: {
    type: "positional",
    required: true,
    valueHint: "SNAPSHOT",
    description: "Number of a snapshot, or name of the branch that it begins",
  },
} as const satisfies ArgsSpec;

/** The flag for what is to be said about a new snapshot. */
export const DESCRIPTION_ARG = {
  description: {
    type: "string",
    alias: "d",
    default: "",
    valueHint: "TEXT",
    description: "What `rastos tree` shows beside the number",
  },
} as const satisfies ArgsSpec;
