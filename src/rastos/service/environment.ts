import { readFileSync } from "node:fs";
import { reasonOf } from "../../kit/fault/reason.ts";
import type { Account } from "./accounts.ts";
import { SERVICE_PATH } from "./launch.ts";

/** Variables, or why a file of them cannot be read. */
export type EnvironmentResult =
  | { readonly kind: "read"; readonly variables: Readonly<Record<string, string>> }
  | { readonly kind: "missing"; readonly reason: string };

/** What the environment of a service is made of. */
export interface EnvironmentSource {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly environment_files: readonly string[];
}

/**
 * The environment of a service: nothing of rinit's own but PATH, then the account's, its files and
 * what its own table says, each over the one before.
 */
export function serviceEnvironment(
  source: EnvironmentSource,
  account: Account | undefined,
  more: Readonly<Record<string, string>> = {},
): EnvironmentResult {
  const variables: Record<string, string> = { PATH: SERVICE_PATH };
  if (account !== undefined) {
    const { name, home, shell } = account;
    Object.assign(variables, { USER: name, LOGNAME: name, HOME: home, SHELL: shell });
  }
  for (const entry of source.environment_files) {
    const isOptional = entry.startsWith("-");
    const path = isOptional ? entry.slice(1) : entry;
    try {
      Object.assign(variables, parseEnvironment(readFileSync(path, "utf8")));
    } catch (error) {
      const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
      if (isOptional && isAbsent) continue;
      return { kind: "missing", reason: `cannot read "${path}": ${reasonOf(error)}` };
    }
  }
  Object.assign(variables, source.environment, { RINIT_SERVICE: source.name }, more);
  return { kind: "read", variables };
}

/** Lines of NAME=value; quotes around a value go, lines that begin with # or ; are left out. */
export function parseEnvironment(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const found = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line.replaceAll("\0", ""));
    if (found === null) continue;
    const [, name = "", raw = ""] = found;
    const value = raw.trim();
    const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value);
    const single = /^'([^']*)'$/.exec(value);
    variables[name] = quoted?.[1]?.replace(/\\(["\\$`])/g, "$1") ?? single?.[1] ?? value;
  }
  return variables;
}
