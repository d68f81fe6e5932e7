import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  BLAST_GROUPS,
  BUILD_ARGS,
  DRY_RUN_ARG,
  INDEX_ARGS,
  LOCK_ARGS,
  PYTHON_ARG,
  RESOLVE_ARGS,
  SELECTION_ARGS,
} from "./shared-args.ts";

const SYNC_ARGS = {
  inexact: {
    type: "boolean",
    description: "Leave packages alone that nothing asks for",
  },
  ...SELECTION_ARGS,
  ...LOCK_ARGS,
  ...PYTHON_ARG,
  ...RESOLVE_ARGS,
  ...INDEX_ARGS,
  ...BUILD_ARGS,
  "compile-bytecode": {
    type: "boolean",
    description: "Compile what is installed to bytecode at once",
  },
  ...DRY_RUN_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast sync`. */
export type SyncArgs = typeof SYNC_ARGS;

/** `blast sync`. */
export const syncCommand = defineCommand({
  meta: {
    name: "sync",
    description: "Make the environment what the project asks for, no more and no less",
    details: `
      Brings pylock.toml up to date with the project where there is one or the project has a
      pyproject.toml or blast.toml; then installs what is missing, changes what differs and
      removes what nothing asks for.
    `,
  },
  groups: BLAST_GROUPS,
  args: SYNC_ARGS,
  examples: [
    { command: "blast sync", description: "Bring .venv up to date" },
    { command: "blast sync --locked", description: "In CI: fail if the lock file is stale" },
    { command: "blast sync --dry-run", description: "See what would change" },
  ],
  run: async (context) => (await import("./sync-run.ts")).run(context),
});
