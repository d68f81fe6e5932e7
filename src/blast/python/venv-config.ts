import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The keys of an environment's pyvenv.cfg, in lower case (PEP 405); undefined where there is none
 * that could be read.
 *
 * @see https://peps.python.org/pep-0405/
 */
export function readVenvConfig(folder: string): ReadonlyMap<string, string> | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, "pyvenv.cfg"), "utf8");
  } catch {
    return undefined;
  }
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const equals = line.indexOf("=");
    if (equals === -1) continue;
    values.set(line.slice(0, equals).trim().toLowerCase(), line.slice(equals + 1).trim());
  }
  return values;
}
