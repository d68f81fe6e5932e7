import { parseCoreMetadata } from "../pep/metadata.ts";
import type { CoreMetadata } from "../resolve/port.ts";
import type { InstalledDistribution } from "./installed.ts";

/**
 * What an installed package says of itself; undefined where it says nothing that can be read.
 * Others may have installed it, years ago: it is no reason to fail.
 */
export function metadataOf(installed: InstalledDistribution): CoreMetadata | undefined {
  const text = installed.metadataText();
  if (text === undefined) return undefined;
  try {
    return parseCoreMetadata(text);
  } catch {
    return undefined;
  }
}
