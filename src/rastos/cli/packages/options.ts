import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Fault } from "../../../kit/fault/fault.ts";
import { reasonOf } from "../../../kit/fault/reason.ts";
import {
  type PackageRoot,
  type RootPackageOptions,
  readRootOptions,
} from "../../package/root-options.ts";

/**
 * How the packages of a place are managed: by its own pacman.conf, or by the one that was named.
 *
 * @throws {Fault}
 */
export function optionsOf(place: PackageRoot, config: string | undefined): RootPackageOptions {
  if (config === undefined) return readRootOptions(place);
  const path = resolve(config);
  try {
    return readRootOptions(place, { path, text: readFileSync(path, "utf8") });
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot read "${config}": ${reasonOf(error)}`,
    });
  }
}

/** @throws {Fault} E_CONFIG where there is nothing to install from */
export function requireRepositories(options: RootPackageOptions): void {
  if (options.repositories.length > 0) return;
  throw new Fault({
    code: "E_CONFIG",
    message: "Cannot install packages: no repository is named in the system",
    hint: "name one in its /etc/pacman.conf or system.toml, or give --config FILE",
  });
}
