import type { IndexOptions } from "../../../src/blast/index/options.ts";
import type { PackageName } from "../../../src/blast/pep/name.ts";
import { parsePackageName } from "../../../src/blast/pep/name.ts";

/** Options that reach nothing of the user's, and wait for nothing. */
export function indexOptions(
  cacheFolder: string,
  urls: readonly string[],
  changes: Partial<IndexOptions> = {},
): IndexOptions {
  return {
    indexes: urls.map((url) => ({ url })),
    findLinks: [],
    cacheFolder,
    offline: false,
    concurrency: 8,
    timeoutMs: 5000,
    retries: 3,
    verifySsl: true,
    trustedHosts: [],
    noCache: false,
    pageTtlSeconds: 600,
    keyring: "disabled",
    environment: { HOME: "/nonexistent" },
    sleep: async () => undefined,
    ...changes,
  };
}

/** A name that is known to be one. */
export function named(text: string): PackageName {
  return parsePackageName(text);
}
