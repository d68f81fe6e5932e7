import type { ArgsSpec } from "../../../kit/cli/command.ts";
import { LOOK_ARGS } from "../packages/packages-args.ts";

/** The names of the packages that a command is about. */
export const AUR_NAMES = {
  name: {
    type: "positional",
    required: true,
    repeatable: true,
    valueHint: "NAME",
    description: "Packages of the AUR; name#COMMIT for a commit of your choice",
  },
} as const satisfies ArgsSpec;

/** The flags of commands that look at what is to be built. */
export const AUR_REVIEW_ARGS = {
  "yes-reviewed": {
    type: "string",
    repeatable: true,
    valueHint: "COMMIT",
    description: "Let this commit pass without a question: you have looked at it",
    details: "At least 12 digits of its name; may be given several times.",
  },
  lock: {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "The list of reviewed commits, in place of the system's own",
  },
  cache: {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Where histories, sources and built packages are kept",
  },
  ...LOOK_ARGS,
} as const satisfies ArgsSpec;

/** The flags of commands that build. */
export const AUR_BUILD_ARGS = {
  update: {
    type: "boolean",
    description: "Take the newest commits, in place of those that were reviewed",
  },
  "build-in": {
    type: "string",
    valueHint: "DIR",
    completes: "folder",
    description: "Build in the system in this folder: / is the running one",
    details:
      "Without it, in the system that the packages are for, under a layer with what they need.",
  },
  rebuild: { type: "boolean", description: "Build also what was built before" },
  check: {
    type: "boolean",
    default: true,
    negativeDescription: "Do not run the tests of the packages",
  },
  "skip-signatures": {
    type: "boolean",
    description: "Take signed sources without their keys; checksums count all the same",
  },
  ...AUR_REVIEW_ARGS,
} as const satisfies ArgsSpec;

/** Variables that all commands of the AUR read. */
export const AUR_ENVIRONMENT = {
  TRIAD_AUR_URL: "Another address in place of the AUR's, for mirrors and tests",
} as const;
