import type { ArgsSpec } from "../../../kit/cli/command.ts";

/** The flag of commands that make deployments. */
export const ETC_ARG = {
  etc: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave what was changed by hand in /etc behind, in the old deployment",
    description: "Take what was changed by hand in /etc along",
  },
} as const satisfies ArgsSpec;
