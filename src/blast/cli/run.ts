import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  BLAST_GROUPS,
  INDEX_ARGS,
  LOCK_ARGS,
  PYTHON_ARG,
  RESOLVE_ARGS,
  SELECTION_ARGS,
} from "./shared-args.ts";

const RUN_ARGS = {
  command: {
    type: "positional",
    repeatable: true,
    valueHint: "CMD",
    completes: "path",
    description: "The program and its arguments, or a Python script",
  },
  sync: {
    type: "boolean",
    default: true,
    negativeDescription: "Run in the environment as it is",
  },
  ...SELECTION_ARGS,
  ...LOCK_ARGS,
  ...PYTHON_ARG,
  ...RESOLVE_ARGS,
  ...INDEX_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blast run`. */
export type RunArgs = typeof RUN_ARGS;

/** `blast run CMD…`. */
export const runCommandSpec = defineCommand({
  meta: {
    name: "run",
    description: "Run a program in the project's environment",
    synonyms: ["exec"],
    details: `
      The environment is made and brought up to date first. A Python script that names its own
      requirements (PEP 723) gets an environment of its own. Flags of blast stand before the
      program; what follows it belongs to the program.
    `,
  },
  groups: BLAST_GROUPS,
  passThrough: true,
  args: RUN_ARGS,
  examples: [
    { command: "blast run pytest -x", description: "A program of the environment" },
    { command: "blast run script.py", description: "A script, with what it requires" },
  ],
  exitCodes: { 127: "The program was not found; otherwise its own exit code" },
  run: async (context) => (await import("./run-run.ts")).run(context),
});
