import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import { SOURCE_ARGS, SOURCE_ENVIRONMENT } from "./python-sources.ts";

const PYTHON_INSTALL_ARGS = {
  request: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "VERSION",
    description: "What to install; without it, what this folder pins, else the newest",
  },
  reinstall: {
    type: "boolean",
    alias: "r",
    description: "Install again what is there already",
  },
  ...SOURCE_ARGS,
} as const satisfies ArgsSpec;

/** The arguments of `blast python install`. */
export type PythonInstallArgs = typeof PYTHON_INSTALL_ARGS;

/** `blast python install [VERSION…]`. */
export const pythonInstallCommand = defineCommand({
  meta: {
    name: "install",
    description: "Install standalone builds of Python into blast's own folder",
    synonyms: ["add", "download", "get"],
    details: `
      The list of builds is that of the newest release of python-build-standalone, or a list in
      the shape of uv's --python-downloads-json-url. Each archive is compared with its SHA-256
      before it is opened; nothing of it is run before it is in its place. The builds lie in
      XDG_DATA_HOME/blast/python, where every environment finds them.
    `,
  },
  args: PYTHON_INSTALL_ARGS,
  environment: SOURCE_ENVIRONMENT,
  examples: [
    { command: "blast python install 3.13", description: "The newest 3.13" },
    {
      command: "blast python install 3.12 --mirror https://mirror.example/python",
      description: "From a mirror",
    },
  ],
  exitCodes: {
    1: "There is no such build, or it cannot be fetched, or it is not what it should be",
  },
  run: async (context) => (await import("./python-install-run.ts")).run(context),
});
