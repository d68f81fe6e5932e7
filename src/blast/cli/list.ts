import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { PYTHON_ARG } from "./shared-args.ts";

const LIST_ARGS = {
  envs: {
    type: "boolean",
    description: "List the environments of this user, wherever they lie",
  },
  requested: {
    type: "boolean",
    alias: "not-required",
    description: "Only what was asked for by name",
  },
  ...PYTHON_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast list`. */
export type ListArgs = typeof LIST_ARGS;

/** `blast list`. */
export const listCommand = defineCommand({
  meta: {
    name: "list",
    description: "List what is installed, or all environments",
    synonyms: ["ls", "freeze"],
    details: `
      With --json each package is one line, an object with schema "blast.list/1", name, version,
      requested, installer and, for what was installed by place, direct_url. With --envs:
      schema "blast.envs/1", name, path, python, created, used and state.
    `,
  },
  args: LIST_ARGS,
  examples: [
    { command: "blast list", description: "The packages of the environment" },
    { command: "blast list --envs", description: "All environments" },
  ],
  run: async (context) => (await import("./list-run.ts")).run(context),
});
