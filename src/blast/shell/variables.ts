import { Fault } from "../../kit/fault/fault.ts";

/** What blast itself sets on activation. */
const OWN: ReadonlySet<string> = new Set([
  "PATH",
  "VIRTUAL_ENV",
  "VIRTUAL_ENV_PROMPT",
  "PYTHONHOME",
  "PS1",
]);

/**
 * The variables of `--env K=V`; the last one of a name counts.
 *
 * @throws {Fault} E_USAGE for what is no `NAME=value`, or a name that blast needs itself
 */
export function parseVariables(texts: readonly string[]): (readonly [string, string])[] {
  const variables = new Map<string, string>();
  for (const text of texts) {
    const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new Fault({
        code: "E_USAGE",
        message: `Cannot set the variable "${shown(text)}"`,
        hint: "write it as NAME=value; a name has letters, digits and underscores",
      });
    }
    if (OWN.has(name) || name.startsWith("__blast") || name.startsWith("BLAST_SHELL")) {
      throw new Fault({
        code: "E_USAGE",
        message: `Cannot set the variable "${name}": the environment itself does`,
        hint: "choose another name",
      });
    }
    variables.set(name, value);
  }
  return [...variables];
}

/** The value may be a secret. */
function shown(text: string): string {
  return text.replace(/=.*/s, "=…");
}
