import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { PYTHON_ARG } from "./shared-args.ts";

const START_ARGS = {
  environment: {
    type: "positional",
    required: false,
    valueHint: "NAME",
    description: "Name of the environment, as --name",
  },
  ...PYTHON_ARG,
  name: {
    type: "string",
    valueHint: "NAME",
    description: "What the prompt shows; otherwise the project's name, or that of its folder",
  },
  path: {
    type: "string",
    valueHint: "FOLDER",
    completes: "folder",
    description: "The project's folder, in place of the working folder",
  },
  env: {
    type: "string",
    alias: "e",
    repeatable: true,
    valueHint: "K=V",
    description: "Export this variable for as long as the environment is active",
  },
  sync: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave the packages as they are",
  },
} as const satisfies ArgsSpec;

/** The arguments of `blast start`. */
export type StartArgs = typeof START_ARGS;

/** `blast start [NAME]`. */
export const startCommand = defineCommand({
  meta: {
    name: "start",
    description: "Make the environment of this folder, bring it up to date and activate it",
    synonyms: ["activate", "shell", "venv", "on"],
    details: `
      The environment is the project's .venv, a standard one that every other tool can use. What
      blast.toml, pyproject.toml, requirements.txt or pylock.toml ask for is installed.

      With the shell integration (see blast init) the current shell is changed: PATH, VIRTUAL_ENV
      and the prompt, which reads "(blast NAME)"; PYTHONPATH and PYTHONHOME of outside are put
      aside, so that nothing of elsewhere is imported. From then on cd activates the folder too.

      Without the integration a shell is started in which the environment is active. Where
      standard input is no terminal, the environment is made and filled, and that is all.
    `,
  },
  args: START_ARGS,
  examples: [
    { command: "blast start", description: "In any folder; nothing needs to be set up" },
    { command: "blast start --python 3.12", description: "With this version of Python" },
    { command: "blast start -e DEBUG=1", description: "With a variable, until it is left" },
  ],
  exitCodes: { 1: "There is no such Python, or what is asked for cannot be installed" },
  environment: {
    SHELL: "The shell that is started where the integration is not there",
    VIRTUAL_ENV_DISABLE_PROMPT: "If it is set, the prompt stays as it is",
  },
  run: async (context) => (await import("./start-run.ts")).run(context),
});
