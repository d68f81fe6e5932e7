import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const EXPORT_ARGS = {
  format: {
    type: "enum",
    options: ["requirements.txt", "pylock.toml"],
    default: "requirements.txt",
    valueHint: "FORMAT",
    description: "What to print",
  },
  output: {
    type: "string",
    alias: ["o", "output-file"],
    valueHint: "FILE",
    completes: "path",
    description: "Write there instead of standard output",
  },
  hashes: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave the hashes out",
  },
  extra: {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "Include these optional dependencies of the project",
  },
  group: {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "Include this dependency group; without it, dev is taken where there is one",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blast export`. */
export type ExportArgs = typeof EXPORT_ARGS;

/** `blast export`. */
export const exportCommand = defineCommand({
  meta: {
    name: "export",
    description: "Print the lock file in another format",
  },
  args: EXPORT_ARGS,
  examples: [{ command: "blast export -o requirements.txt", description: "For pip, with hashes" }],
  exitCodes: { 1: "There is no lock file" },
  run: async (context) => (await import("./export-run.ts")).run(context),
});
