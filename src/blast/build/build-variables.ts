/** The environment variables that builds see. */
import { delimiter, join } from "node:path";

type Variables = Readonly<Record<string, string | undefined>>;

/** What would lead a build's Python elsewhere, or belongs to the shell that we were started in. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  "PYTHONPATH",
  "PYTHONHOME",
  "PYTHONSTARTUP",
  "PYTHONSAFEPATH",
  "PYTHONEXECUTABLE",
  "VIRTUAL_ENV",
  "VIRTUAL_ENV_PROMPT",
  "__PYVENV_LAUNCHER__",
  // Of a hook of git that we may have been started by: `git rev-parse --local-env-vars`.
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_CONFIG",
  "GIT_DIR",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_INTERNAL_SUPER_PREFIX",
  "GIT_NAMESPACE",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_REPLACE_REF_BASE",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
]);
/** Ours, also with credentials of indexes; Bun's, that turn this executable into another one. */
const LEFT_OUT_PREFIX = /^(?:BLAST|BUN|_OLD_VIRTUAL)_/;

/** A Python that builds. */
export interface BuildPython {
  /** Absolute. */
  readonly executable: string;
  /** Of its scripts; absolute. */
  readonly scripts: string;
  /** Of the environment that it belongs to; undefined: none. */
  readonly environment: string | undefined;
}

/** The user's variables, with the build's environment in place of whatever is active. */
export function buildVariables(user: Variables, python: BuildPython): Record<string, string> {
  const variables = plainVariables(user);
  const active = user["VIRTUAL_ENV"];
  const isActive = (folder: string): boolean =>
    active !== undefined && active !== "" && folder === join(active, "bin");
  const path = (user["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
    .split(delimiter)
    .filter((folder) => !isActive(folder));
  variables["PATH"] = [python.scripts, ...path].join(delimiter);
  if (python.environment !== undefined) variables["VIRTUAL_ENV"] = python.environment;
  // Lines come in the order in which they were printed.
  variables["PYTHONUNBUFFERED"] = "1";
  variables["PYTHONNOUSERSITE"] = "1";
  return variables;
}

/** The user's variables without what concerns this process alone. */
export function plainVariables(user: Variables): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(user)) {
    if (value === undefined || LEFT_OUT.has(name) || LEFT_OUT_PREFIX.test(name)) continue;
    variables[name] = value;
  }
  return variables;
}
