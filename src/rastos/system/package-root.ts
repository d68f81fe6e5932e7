import { join } from "node:path";
import type { RootFolder } from "../../kit/fs/root-folder.ts";
import type { PackageRootOptions } from "../package/types.ts";
import { SNAPSHOTS } from "../snapshot/layout.ts";
import { optionOf, repositoriesOf, withIncludes } from "./setting-texts.ts";
import type { SystemConfig } from "./types.ts";

/**
 * Where the packages of a root come from: the declared repositories, or those of its own
 * etc/pacman.conf. Downloads are kept beside the snapshots, once for all of them.
 */
export function packageRootOf(
  root: RootFolder,
  config: SystemConfig,
  top: string | undefined,
): PackageRootOptions {
  const raw = root.readText("etc/pacman.conf");
  const text = withIncludes(raw, (path) => root.readText(path.replace(/^\/+/, "")));
  const declared = config.repositories.map(({ name, servers, siglevel }) => ({
    name,
    servers,
    signatureLevel: siglevel,
  }));
  return {
    root: root.path,
    repositories: declared.length > 0 ? declared : repositoriesOf(text),
    cacheFolder: top === undefined ? undefined : join(top, SNAPSHOTS, "state", "packages"),
    architecture: architectureOf(text),
    signatureLevel: optionOf(text, "SigLevel"),
    fileSignatureLevel: optionOf(text, "LocalFileSigLevel"),
  };
}

function architectureOf(text: string | undefined): string | undefined {
  const first = optionOf(text, "Architecture")?.split(/\s+/)[0];
  return first === "auto" ? undefined : first;
}
