import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  BLAST_GROUPS,
  BUILD_ARGS,
  INDEX_ARGS,
  PYTHON_ARG,
  RESOLVE_ARGS,
  SELECTION_ARGS,
  TARGET_ARGS,
} from "./shared-args.ts";

const COMPILE_ARGS = {
  file: {
    type: "positional",
    repeatable: true,
    valueHint: "FILE",
    completes: "path",
    description: "Requirements files, pyproject.toml, blast.toml, or - for standard input",
  },
  universal: {
    type: "boolean",
    description: "One answer for every platform and Python, with markers where they differ",
  },
  output: {
    type: "string",
    alias: ["o", "output-file"],
    valueHint: "FILE",
    completes: "path",
    description: "Write there; the pins that the file has are kept where they fit",
  },
  "generate-hashes": {
    type: "boolean",
    alias: "hashes",
    description: "Give the hashes of every file of each version",
  },
  upgrade: {
    type: "boolean",
    alias: "U",
    description: "Forget the pins of the output file",
  },
  deps: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave out what the packages need",
  },
  annotate: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave out the comments that say what needs a package",
  },
  header: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave out the comment at the top",
  },
  ...SELECTION_ARGS,
  ...PYTHON_ARG,
  ...TARGET_ARGS,
  ...RESOLVE_ARGS,
  ...INDEX_ARGS,
  ...BUILD_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blast compile`. */
export type CompileArgs = typeof COMPILE_ARGS;

/** `blast compile FILE…`. */
export const compileCommand = defineCommand({
  meta: {
    name: "compile",
    description: "Print pinned requirements for loose ones",
    synonyms: ["pip-compile"],
  },
  groups: BLAST_GROUPS,
  args: COMPILE_ARGS,
  examples: [
    { command: "blast compile requirements.in", description: "Pins for this machine" },
    {
      command: "blast compile requirements.in --universal -o requirements.txt",
      description: "Pins for all platforms, into a file",
    },
    {
      command: "blast compile pyproject.toml --python-version 3.10 --python-platform windows",
      description: "Pins for another Python and platform",
    },
  ],
  exitCodes: { 1: "Nothing fits, or something does not exist" },
  run: async (context) => (await import("./compile-run.ts")).run(context),
});
