import type { ArgsSpec } from "../../kit/cli/command.ts";

const INDEX = "Package index";
const BUILDING = "Building from sources";
const RESOLVING = "Resolving";
const ENVIRONMENT = "Environment";
const LOCKING = "Lock file";

/** Order of the headings in the help of the commands that resolve and install. */
export const BLAST_GROUPS = [ENVIRONMENT, LOCKING, RESOLVING, INDEX, BUILDING] as const;

/** Where packages come from; pip's names. */
export const INDEX_ARGS = {
  "index-url": {
    type: "string",
    alias: ["i", "default-index"],
    valueHint: "URL",
    description: "The package index; without it, the one that pip is configured to use",
    group: INDEX,
  },
  "extra-index-url": {
    type: "string",
    repeatable: true,
    valueHint: "URL",
    description: "A further index, asked first: the first index that has a name answers for it",
    group: INDEX,
  },
  "find-links": {
    type: "string",
    alias: "f",
    repeatable: true,
    valueHint: "PLACE",
    completes: "path",
    description: "A folder, or a page with links, to look for files in as well",
    group: INDEX,
  },
  index: {
    type: "boolean",
    default: true,
    negativeDescription: "Ask no index, only the --find-links places",
    group: INDEX,
  },
  offline: {
    type: "boolean",
    description: "Use what is cached, however old; ask no server",
    group: INDEX,
  },
  refresh: {
    type: "boolean",
    description: "Ask the index again for every page, however fresh the cached one is",
    group: INDEX,
  },
  cache: {
    type: "boolean",
    default: true,
    negativeDescription: "Neither read nor keep cached pages",
    group: INDEX,
  },
} as const satisfies ArgsSpec;

/** How versions are chosen. */
export const RESOLVE_ARGS = {
  pre: {
    type: "boolean",
    description: "Take pre-releases too, although no requirement names one",
    group: RESOLVING,
  },
  "no-binary": {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "Never take wheels of this package; :all: for all, :none: for none",
    group: RESOLVING,
  },
  "only-binary": {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "Never build this package from sources; :all: for all, :none: for none",
    group: RESOLVING,
  },
  resolution: {
    type: "enum",
    options: ["highest", "lowest", "lowest-direct"],
    valueHint: "STRATEGY",
    description: "Which versions to prefer; without it, [resolver] strategy of blast.toml",
    group: RESOLVING,
  },
  constraint: {
    type: "string",
    alias: "c",
    repeatable: true,
    valueHint: "FILE",
    completes: "path",
    description: "Versions to keep to, for whatever of it is needed",
    group: RESOLVING,
  },
  override: {
    type: "string",
    repeatable: true,
    valueHint: "FILE",
    completes: "path",
    description: "Requirements that replace what packages themselves ask for",
    group: RESOLVING,
  },
  "exclude-newer": {
    type: "string",
    valueHint: "DATE",
    description: "Take nothing that was uploaded later, as 2026-01-31 or with a time",
    group: RESOLVING,
  },
} as const satisfies ArgsSpec;

/** How sources are built. */
export const BUILD_ARGS = {
  "config-setting": {
    type: "string",
    alias: ["C", "config-settings"],
    repeatable: true,
    valueHint: "KEY=VALUE",
    description: "A setting for the build backends of whatever is built from sources",
    group: BUILDING,
  },
  "build-constraint": {
    type: "string",
    repeatable: true,
    valueHint: "FILE",
    completes: "path",
    description: "Versions to keep to for what builds require",
    group: BUILDING,
  },
  "build-isolation": {
    type: "boolean",
    default: true,
    negativeDescription: "Build in the environment itself, which must have what builds require",
    group: BUILDING,
  },
} as const satisfies ArgsSpec;

/** Which environment or interpreter is meant. */
export const PYTHON_ARG = {
  python: {
    type: "string",
    alias: "p",
    valueHint: "PYTHON",
    description: "An interpreter or environment by its path, or a version to look for",
    group: ENVIRONMENT,
  },
} as const satisfies ArgsSpec;

/** What the resolver assumes instead of what the interpreter says. */
export const TARGET_ARGS = {
  "python-version": {
    type: "string",
    valueHint: "VERSION",
    description: "Resolve for this version of Python in place of the interpreter's own",
    group: ENVIRONMENT,
  },
  "python-platform": {
    type: "string",
    valueHint: "PLATFORM",
    description: "Resolve for this platform: linux, macos, windows or a triple such as uv's",
    group: ENVIRONMENT,
  },
} as const satisfies ArgsSpec;

/** How the lock file is treated. */
export const LOCK_ARGS = {
  locked: {
    type: "boolean",
    description: "Fail if pylock.toml does not fit the project",
    group: LOCKING,
  },
  frozen: {
    type: "boolean",
    description: "Use pylock.toml as it is, without a look at the project",
    group: LOCKING,
  },
} as const satisfies ArgsSpec;

/** Which of the project's optional requirements are wanted. */
export const SELECTION_ARGS = {
  extra: {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "Include these optional dependencies of the project",
    group: RESOLVING,
  },
  group: {
    type: "string",
    repeatable: true,
    valueHint: "NAME",
    description: "Include this dependency group; without it, dev is taken where there is one",
    group: RESOLVING,
  },
} as const satisfies ArgsSpec;

/** Seeing before doing. */
export const DRY_RUN_ARG = {
  "dry-run": {
    type: "boolean",
    alias: "n",
    description: "Tell what would be done; change nothing",
  },
} as const satisfies ArgsSpec;
