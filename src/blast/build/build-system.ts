/** How a source wants to be built. */
import { existsSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { type Pyproject, readPyproject } from "../project/pyproject.ts";
import { type ProjectRequirement, readNamedRequirement } from "../project/requirement-line.ts";

/** [build-system] with what holds where it says nothing. */
export interface SourceSystem {
  readonly requires: readonly ProjectRequirement[];
  /** `module:object`. */
  readonly backend: string;
  /** Absolute folders of the source that hold the backend. */
  readonly backendPath: readonly string[];
  readonly pyproject: Pyproject | undefined;
}

/** PEP 517: what is built without saying how is built by setuptools, as `setup.py` once was. */
const LEGACY_BACKEND = "setuptools.build_meta:__legacy__";
/** The first with that backend. */
const LEGACY_REQUIREMENT = "setuptools>=40.8.0";

/**
 * Reads what a source says.
 *
 * @param label what is built, for messages
 * @throws {Fault} E_CONFIG for a pyproject.toml that is wrong, E_BUILD for what is no source
 * @see PEP 517, PEP 518
 */
export async function readSourceSystem(folder: string, label: string): Promise<SourceSystem> {
  const pyproject = await readPyproject(
    join(folder, "pyproject.toml"),
    `pyproject.toml of ${label}`,
  );
  if (pyproject === undefined && !existsSync(join(folder, "setup.py"))) {
    throw new Fault({
      code: "E_BUILD",
      message: `Cannot build "${label}": it has neither a pyproject.toml nor a setup.py`,
    });
  }
  const legacy = readNamedRequirement(LEGACY_REQUIREMENT, {
    origin: `what "${label}" leaves open`,
    base: folder,
  });
  const said = pyproject?.buildSystem;
  if (said === undefined) {
    return { requires: [legacy], backend: LEGACY_BACKEND, backendPath: [], pyproject };
  }
  const { requires, backend } = said;
  if (backend !== undefined) {
    const backendPath = said.backendPath.map((path) => inside(folder, path, label));
    return { requires, backend, backendPath, pyproject };
  }
  const hasSetuptools = requires.some(({ name }) => name === legacy.name);
  return {
    requires: hasSetuptools ? requires : [...requires, legacy],
    backend: LEGACY_BACKEND,
    backendPath: [],
    pyproject,
  };
}

function inside(folder: string, path: string, label: string): string {
  const absolute = resolve(folder, path);
  const below = relative(folder, absolute);
  if (!isAbsolute(path) && below !== ".." && !below.startsWith("../")) return absolute;
  throw new Fault({
    code: "E_BUILD",
    message: `Cannot build "${label}": its backend-path "${path}" leads out of it`,
  });
}
