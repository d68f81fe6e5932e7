import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const PYTHON_FIND_ARGS = {
  request: {
    type: "positional",
    required: false,
    valueHint: "REQUEST",
    completes: "path",
    description: 'A version ("3.12", ">=3.11,<3.13", "pypy3.10", "3.13t") or a path',
  },
} as const satisfies ArgsSpec;

/** The arguments of `blast python find`. */
export type PythonFindArgs = typeof PYTHON_FIND_ARGS;

/** `blast python find [REQUEST]`. */
export const pythonFindCommand = defineCommand({
  meta: {
    name: "find",
    description: "Print the path of the interpreter that would be used",
    synonyms: ["which", "where"],
    details: `
      Without a request, .python-version, blast.toml's [env] python_version and requires-python of
      pyproject.toml count, in this order. Every interpreter is asked once; what it said is kept
      until its file changes.
    `,
  },
  args: PYTHON_FIND_ARGS,
  examples: [
    { command: "blast python find", description: "What this folder would use" },
    { command: 'blast python find ">=3.11"', description: "The first that fits" },
  ],
  exitCodes: { 1: "No interpreter fits" },
  run: async (context) => (await import("./python-find-run.ts")).run(context),
});
