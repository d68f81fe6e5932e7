import { RootFolder } from "../../kit/fs/root-folder.ts";
import { Configuration } from "./configure.ts";
import { parseSystemText } from "./read.ts";
import { carryOut } from "./root-view.ts";
import type { ConfigurationChange, SystemConfig } from "./types.ts";

/**
 * Brings a root back to what a declaration says, where somebody has changed it by hand: names,
 * locale, accounts, services. Nothing is taken away that the declaration does not name, packages
 * and home folders stay as they are. Nobody else may be at work in the root.
 *
 * @param text a system.toml; one that cannot be read declares nothing
 * @param shared home folders that lie elsewhere
 */
export async function settleDeclared(
  folder: string,
  text: string,
  shared: ReadonlyMap<string, string>,
): Promise<readonly ConfigurationChange[]> {
  const config = await declarationOf(text);
  if (config === undefined) return [];
  const options = { previous: config, sharedFolders: shared };
  using configuration = await Configuration.prepare(folder, config, options);
  using root = RootFolder.open(folder);
  const { steps, changes, homes } = configuration.plan;
  carryOut(root, steps);
  const inHomes = new Set(homes.flatMap((home) => home.changes));
  return changes.filter((change) => !inHomes.has(change));
}

async function declarationOf(text: string): Promise<SystemConfig | undefined> {
  try {
    return (await parseSystemText("/etc/rastos/system.toml", text)).config;
  } catch {
    // Of another version: it could be applied no more either.
    return undefined;
  }
}
