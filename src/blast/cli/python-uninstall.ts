import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const PYTHON_UNINSTALL_ARGS = {
  request: {
    type: "positional",
    repeatable: true,
    valueHint: "VERSION",
    description: "What to remove: a version, or the name of its folder",
  },
  "dry-run": {
    type: "boolean",
    alias: "n",
    description: "Tell what would be removed; change nothing",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blast python uninstall`. */
export type PythonUninstallArgs = typeof PYTHON_UNINSTALL_ARGS;

/** `blast python uninstall VERSION…`. */
export const pythonUninstallCommand = defineCommand({
  meta: {
    name: "uninstall",
    description: "Remove Pythons that blast has installed; others are never touched",
    synonyms: ["remove", "rm", "delete"],
    details: `
      Environments that were made from it stop working; the next blast command in them says so
      and makes them anew.
    `,
  },
  args: PYTHON_UNINSTALL_ARGS,
  examples: [{ command: "blast python uninstall 3.11", description: "Every 3.11 of blast's own" }],
  exitCodes: { 1: "blast has installed no such Python" },
  run: async (context) => (await import("./python-uninstall-run.ts")).run(context),
});
