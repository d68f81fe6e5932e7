/** Where a user's files lie, after the XDG base directory specification 0.8. No I/O. */
import { isAbsolute, join } from "node:path";

/** The environment variables that matter here; `process.env` fits. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Base folders; none of them need exist. */
export interface XdgPaths {
  readonly config: string;
  readonly cache: string;
  readonly state: string;
  readonly data: string;
  /** Undefined outside a login session: there is no safe fallback that all users share. */
  readonly runtime: string | undefined;
  /** System-wide configuration, most important folder first. */
  readonly systemConfig: readonly string[];
}

/** The base folders of the user. A value that is empty or relative is ignored, as the spec asks. */
export function xdgPaths(environment: Environment): XdgPaths {
  const home = absolute(environment["HOME"]) ?? userHome();
  const systemConfig = (environment["XDG_CONFIG_DIRS"] ?? "").split(":").filter(isAbsolute);
  return {
    config: absolute(environment["XDG_CONFIG_HOME"]) ?? join(home, ".config"),
    cache: absolute(environment["XDG_CACHE_HOME"]) ?? join(home, ".cache"),
    state: absolute(environment["XDG_STATE_HOME"]) ?? join(home, ".local", "state"),
    data: absolute(environment["XDG_DATA_HOME"]) ?? join(home, ".local", "share"),
    runtime: absolute(environment["XDG_RUNTIME_DIR"]),
    systemConfig: systemConfig.length > 0 ? systemConfig : ["/etc/xdg"],
  };
}

/**
 * The user's home folder as node:os has it, which is loaded for that alone: mostly HOME is set, and
 * nobody has to ask.
 */
export function userHome(): string {
  return process.getBuiltinModule("node:os").homedir();
}

function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}
