import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import { openPackageManager } from "../package/open.ts";
import { readRootOptions } from "../package/root-options.ts";
import { SYSTEM_TEXT_PATH } from "./configuration.ts";
import { Configuration } from "./configure.ts";
import { planSystem, type SystemPlan } from "./plan.ts";
import { parseSystemText } from "./read.ts";

/**
 * How a root differs from the system.toml that it holds: what somebody has installed, removed or
 * changed by hand since it was applied. Looks, and changes nothing.
 *
 * @param folder a deployment or a clone, with etc and var in it
 * @param shared home folders that lie elsewhere
 * @throws {Fault} E_NOT_FOUND for a root that was never declared
 */
export async function readDrift(
  folder: string,
  shared: ReadonlyMap<string, string>,
): Promise<SystemPlan> {
  const text = readDeclaration(folder);
  const { config } = await parseSystemText(`/${SYSTEM_TEXT_PATH}`, text);
  using manager = openPackageManager(readRootOptions({ root: folder }));
  const installed = await manager.installed();
  using configuration = await Configuration.prepare(folder, config, {
    systemText: text,
    previous: config,
    sharedFolders: shared,
  });
  const available = config.packages.groups.length === 0 ? [] : await manager.search([]);
  return planSystem(
    { installed, available, previous: config },
    { config, configuration: configuration.plan },
  );
}

function readDeclaration(folder: string): string {
  using root = RootFolder.open(folder);
  const text = root.readText(SYSTEM_TEXT_PATH);
  if (text !== undefined) return text;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot tell how the system differs: nobody has declared it yet",
    hint: "`rastos apply FILE` does; `rastos plan FILE` compares it with a file",
  });
}
