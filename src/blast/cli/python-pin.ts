import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";

const PYTHON_PIN_ARGS = {
  request: {
    type: "positional",
    required: false,
    valueHint: "VERSION",
    description: "What to pin; without it, the pin is told",
  },
  remove: {
    type: "boolean",
    description: "Remove the pin of this folder",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blast python pin`. */
export type PythonPinArgs = typeof PYTHON_PIN_ARGS;

/** `blast python pin VERSION`. */
export const pythonPinCommand = defineCommand({
  meta: {
    name: "pin",
    description: "Write .python-version, which pyenv and uv read as well",
    synonyms: ["use", "local"],
  },
  args: PYTHON_PIN_ARGS,
  examples: [
    { command: "blast python pin 3.12", description: "This folder wants some Python 3.12" },
    { command: "blast python pin", description: "Tell what is pinned" },
  ],
  exitCodes: { 1: "Nothing is pinned" },
  run: async (context) => (await import("./python-pin-run.ts")).run(context),
});
