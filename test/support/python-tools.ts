import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** The virtual environment that bin/test makes from python-tools.txt. */
const BIN = resolve(import.meta.dir, "../../.tools/python/bin");

/** A Python that has `packaging` and `installer`; undefined: {@link needsOraclePython} says why. */
export function oraclePython(): string | undefined {
  return inBin("python");
}

/** The uv to compare with, or undefined. */
export function uvPath(): string | undefined {
  return inBin("uv");
}

/** The virtualenv to compare with, or undefined. */
export function virtualenvPath(): string | undefined {
  return inBin("virtualenv");
}

/** A reason when bin/test could not install the Python tools. */
export function needsOraclePython(): string | undefined {
  return oraclePython() === undefined || uvPath() === undefined
    ? "needs .tools/python, which bin/test installs"
    : undefined;
}

function inBin(name: string): string | undefined {
  const path = join(BIN, name);
  return existsSync(path) ? path : undefined;
}
