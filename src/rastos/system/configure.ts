import { Fault } from "../../kit/fault/fault.ts";
import type { ConfigurationReport, ConfigureOptions, SystemConfig } from "./types.ts";

/**
 * Brings a root folder in line with what is declared, packages and kernel apart: names, locale,
 * users, keys, services, repositories. Nothing outside of the folder is touched, whatever links
 * lie in it; a second run changes nothing.
 *
 * @throws {Fault} E_REFUSED where a link leads out of the root; E_IO, E_NO_SPACE, E_PRIVILEGE
 */
export async function configureRoot(
  rootFolder: string,
  _config: SystemConfig,
  _options: ConfigureOptions = {},
): Promise<ConfigurationReport> {
  throw new Fault({ code: "E_NOT_BUILT", message: `Cannot configure "${rootFolder}" yet` });
}
