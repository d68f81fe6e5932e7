import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { PYTHON_ARG } from "./shared-args.ts";

const UNDO_ARGS = { ...PYTHON_ARG } as const satisfies ArgsSpec;

/** The arguments of `blast undo`. */
export type UndoArgs = typeof UNDO_ARGS;

/** `blast undo`. */
export const undoCommand = defineCommand({
  meta: {
    name: "undo",
    description: "Take back the last change of the environment",
    details: `
      Puts back what the last install, update, remove, sync or repair has replaced, with what it
      recorded in the project's files. A second undo takes back the change before.
    `,
  },
  args: UNDO_ARGS,
  examples: [{ command: "blast undo", description: "As it was before the last command" }],
  exitCodes: { 1: "There is nothing to take back" },
  run: async (context) => (await import("./undo-run.ts")).run(context),
});
