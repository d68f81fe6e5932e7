import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  BLAST_GROUPS,
  BUILD_ARGS,
  DRY_RUN_ARG,
  INDEX_ARGS,
  PYTHON_ARG,
  RESOLVE_ARGS,
} from "./shared-args.ts";

const LOCK_COMMAND_ARGS = {
  check: {
    type: "boolean",
    alias: "locked",
    description: "Change nothing; fail if pylock.toml does not fit the project",
  },
  upgrade: {
    type: "boolean",
    alias: "U",
    description: "Forget the pins that there are and take the newest versions that fit",
  },
  "upgrade-package": {
    type: "string",
    alias: "P",
    repeatable: true,
    valueHint: "NAME",
    description: "Forget the pin of this package",
  },
  ...PYTHON_ARG,
  ...RESOLVE_ARGS,
  ...INDEX_ARGS,
  ...BUILD_ARGS,
  ...DRY_RUN_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast lock`. */
export type LockArgs = typeof LOCK_COMMAND_ARGS;

/** `blast lock`. */
export const lockCommand = defineCommand({
  meta: {
    name: "lock",
    description: "Write pylock.toml: every version, every file, every hash",
    details: `
      The lock file (PEP 751) holds for Linux, macOS and Windows and for every Python that the
      project supports. Pins that still fit are kept; --upgrade lets go of them.
    `,
  },
  groups: BLAST_GROUPS,
  args: LOCK_COMMAND_ARGS,
  examples: [
    { command: "blast lock", description: "Bring the lock file up to date" },
    { command: "blast lock --upgrade", description: "With the newest versions" },
    { command: "blast lock --check", description: "In CI: is it up to date?" },
  ],
  exitCodes: { 1: "Nothing fits; with --check: the lock file is missing or stale" },
  run: async (context) => (await import("./lock-run.ts")).run(context),
});
