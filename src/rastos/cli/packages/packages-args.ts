import type { ArgsSpec } from "../../../kit/cli/command.ts";
import { CHANGE_ARGS, ROOT_ARGS } from "../root-args.ts";

const SNAPSHOT = {
  type: "string",
  valueHint: "SNAPSHOT",
  description: "The snapshot by number or branch; the one that boots by default",
} as const;

/** The flags of commands that look at packages. */
export const LOOK_ARGS = {
  snapshot: SNAPSHOT,
  config: {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "A pacman.conf to go by, in place of the system's own",
  },
  ...ROOT_ARGS,
  root: {
    ...ROOT_ARGS.root,
    description: "Work on the system in this folder: the top level of a btrfs, or any folder",
  },
} as const satisfies ArgsSpec;

/** The flags of commands that change packages. */
export const PACKAGE_CHANGE_ARGS = {
  ...LOOK_ARGS,
  "dry-run": CHANGE_ARGS["dry-run"],
  yes: { type: "boolean", description: "Do not ask" },
} as const satisfies ArgsSpec;

/** The flags of commands that bring packages in. */
export const ADD_ARGS = {
  file: {
    type: "string",
    repeatable: true,
    valueHint: "FILE",
    completes: "path",
    description: "A package file (.pkg.tar.zst) to install as well",
  },
  replace: {
    type: "boolean",
    description: "Remove installed packages that exclude the new ones",
  },
  refresh: {
    type: "boolean",
    description: "Fetch the databases of the repositories before",
  },
  live: {
    type: "boolean",
    description: "Change the deployment that boots too, if packages only come new",
    details: `
      Refused if anything would be upgraded, replaced or removed: that takes a deployment of its
      own.
    `,
  },
} as const satisfies ArgsSpec;
