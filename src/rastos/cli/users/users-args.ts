import type { ArgsSpec } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS } from "../root-args.ts";

/** The flag that names a snapshot. */
const SNAPSHOT_FLAG = {
  snapshot: {
    type: "string",
    valueHint: "SNAPSHOT",
    description: "The snapshot to look into or to begin from; default: the one that boots next",
  },
} as const satisfies ArgsSpec;

/** The flags of what reads accounts. */
export const USERS_ARGS = { ...SNAPSHOT_FLAG, root: CHANGE_ARGS.root } as const satisfies ArgsSpec;

/** The flags of what changes accounts. */
export const USERS_CHANGE_ARGS = { ...SNAPSHOT_FLAG, ...CHANGE_ARGS } as const satisfies ArgsSpec;

/** The user that a command is about. */
export const USER_ARG = {
  name: {
    type: "positional",
    required: true,
    valueHint: "NAME",
    description: "Name of the account",
  },
} as const satisfies ArgsSpec;
