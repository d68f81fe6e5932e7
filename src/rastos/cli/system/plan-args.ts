import type { ArgsSpec } from "../../../kit/cli/command.ts";

/** The arguments that name a declaration and where to begin. */
export const DECLARATION_ARGS = {
  file: {
    type: "positional",
    required: true,
    valueHint: "FILE",
    completes: "path",
    description: "A system.toml, or a package list of the original",
  },
  from: {
    type: "string",
    valueHint: "SNAPSHOT",
    description: "Begin from this snapshot; default: the one that boots next, or the newest",
  },
  upgrade: {
    type: "boolean",
    description: "Bring every package up to date, also where nothing else differs",
    details: "Where packages are added, all are brought up to date without it as well.",
  },
} as const satisfies ArgsSpec;
