import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { SOURCE_ARGS, SOURCE_ENVIRONMENT } from "./python-sources.ts";

const PYTHON_LIST_ARGS = {
  request: {
    type: "positional",
    required: false,
    valueHint: "REQUEST",
    description: 'Only these: "3.12", ">=3.11", "pypy"',
  },
  "only-installed": {
    type: "boolean",
    description: "Leave out what could be installed; asks no server",
  },
  "all-versions": {
    type: "boolean",
    description: "Every patch release that can be installed, not just the newest of each",
  },
  ...SOURCE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blast python list`. */
export type PythonListArgs = typeof PYTHON_LIST_ARGS;

/** `blast python list [REQUEST]`. */
export const pythonListCommand = defineCommand({
  meta: {
    name: "list",
    description: "List the interpreters that are here, and those that can be installed",
    synonyms: ["ls"],
    details: `
      Looks into the active environment, blast's own folder, PATH, pyenv, asdf, mise, uv and conda
      and the system's folders. With --json each line is an object with schema
      "blast.python/1".
    `,
  },
  args: PYTHON_LIST_ARGS,
  environment: SOURCE_ENVIRONMENT,
  examples: [
    { command: "blast python list", description: "What there is" },
    { command: "blast python list --only-installed 3.12", description: "Every 3.12 here" },
  ],
  run: async (context) => (await import("./python-list-run.ts")).run(context),
});
