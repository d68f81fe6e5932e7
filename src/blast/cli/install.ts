import type { ArgsSpec } from "../../kit/cli/command.ts";
import { defineCommand } from "../../kit/cli/command.ts";
import {
  BLAST_GROUPS,
  BUILD_ARGS,
  DRY_RUN_ARG,
  INDEX_ARGS,
  LOCK_ARGS,
  PYTHON_ARG,
  RESOLVE_ARGS,
  SELECTION_ARGS,
} from "./shared-args.ts";

const INSTALL_ARGS = {
  package: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "PKG",
    description: "What to install: a name with specifiers, extras and markers, a URL, a path",
  },
  requirement: {
    type: "string",
    alias: "r",
    repeatable: true,
    valueHint: "FILE",
    completes: "path",
    description: "Install what a requirements file lists; it is not recorded",
  },
  editable: {
    type: "string",
    alias: "e",
    repeatable: true,
    valueHint: "PATH",
    completes: "folder",
    description: "Install a project so that changes to its sources count at once",
  },
  optional: {
    type: "string",
    valueHint: "EXTRA",
    description: "Record under the project's optional dependencies of this name",
  },
  record: {
    type: "boolean",
    default: true,
    negativeDescription: "Install only; leave the project's files alone",
  },
  upgrade: {
    type: "boolean",
    alias: "U",
    description: "Take the newest versions that fit, also of what is installed",
  },
  "require-hashes": {
    type: "boolean",
    description: "Take nothing whose hash the requirements do not give",
  },
  deps: {
    type: "boolean",
    default: true,
    negativeDescription: "Leave out what the packages need",
  },
  ...SELECTION_ARGS,
  ...LOCK_ARGS,
  ...PYTHON_ARG,
  ...RESOLVE_ARGS,
  ...INDEX_ARGS,
  ...BUILD_ARGS,
  "compile-bytecode": {
    type: "boolean",
    description: "Compile what is installed to bytecode at once",
  },
  ...DRY_RUN_ARG,
} as const satisfies ArgsSpec;

/** The arguments of `blast install`. */
export type InstallArgs = typeof INSTALL_ARGS;

/** `blast install [PKG…]`. */
export const installCommand = defineCommand({
  meta: {
    name: "install",
    description: "Install packages and record them in the project",
    synonyms: ["add", "i"],
    details: `
      In a project, the names are recorded in pyproject.toml, or in blast.toml where there is no
      pyproject.toml, the lock file pylock.toml is brought up to date, and the environment in
      .venv gets what is missing. Nothing is recorded of what -r brings, nor with --python
      or --no-record.

      Without names, what the project itself requires is installed.

      The environment is the project's own; outside of projects the active one.
    `,
  },
  groups: BLAST_GROUPS,
  args: INSTALL_ARGS,
  examples: [
    { command: "blast install flask", description: "Install the newest that fits" },
    { command: 'blast install "httpx[http2]>=0.27"', description: "With an extra and a bound" },
    { command: "blast install -r requirements.txt", description: "What a file lists" },
    { command: "blast install -e .", description: "This project itself, editable" },
    { command: "blast install --group dev pytest", description: "Into a dependency group" },
  ],
  exitCodes: { 1: "Nothing fits, or something does not exist; nothing was changed" },
  run: async (context) => (await import("./install-run.ts")).run(context),
});
