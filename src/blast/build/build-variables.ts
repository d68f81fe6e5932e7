/** The environment variables that builds see. */
import { delimiter, join } from "node:path";

type Variables = Readonly<Record<string, string | undefined>>;

/** What would lead a build's Python elsewhere, or belongs to the shell that we were started in. */
const LEFT_OUT =
  /^(?:PYTHON(?:PATH|HOME|STARTUP|SAFEPATH|EXECUTABLE)|VIRTUAL_ENV(?:_PROMPT)?|__PYVENV_LAUNCHER__|_OLD_VIRTUAL_.*|BUN_.*|BLAST_.*)$/;

/** Of a hook of git that we may have been started by: `git rev-parse --local-env-vars`. */
const GIT_PLACES =
  /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|PREFIX|NAMESPACE|CEILING_DIRECTORIES|CONFIG|GRAFT_FILE|SHALLOW_FILE|NO_REPLACE_OBJECTS|REPLACE_REF_BASE|IMPLICIT_WORK_TREE|INTERNAL_SUPER_PREFIX)$/;

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
    if (value === undefined || LEFT_OUT.test(name) || GIT_PLACES.test(name)) continue;
    variables[name] = value;
  }
  return variables;
}
