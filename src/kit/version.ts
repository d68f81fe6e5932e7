import packageJson from "../../package.json" with { type: "json" };

// Put in place by build.ts through `define`; neither exists when the sources run as they are.
declare const TRIAD_VERSION: string | undefined;
declare const TRIAD_COMMIT: string | undefined;

/** What `--version` tells. */
export interface VersionInfo {
  readonly version: string;
  /** Abbreviated commit; `development` when the sources run uncompiled. */
  readonly commit: string;
  readonly bun: string;
  /** `linux-x64`, `darwin-arm64`, … */
  readonly platform: string;
}

/** The version of this build. */
export function versionInfo(): VersionInfo {
  return {
    version: typeof TRIAD_VERSION === "string" ? TRIAD_VERSION : packageJson.version,
    commit: typeof TRIAD_COMMIT === "string" ? TRIAD_COMMIT : "development",
    bun: Bun.version,
    platform: `${process.platform}-${process.arch}`,
  };
}

/** The version as one line: `blit 0.1.0 (commit 1c004c0, Bun 1.4.5, linux-x64)`. */
export function versionLine(name: string): string {
  const { version, commit, bun, platform } = versionInfo();
  return `${name} ${version} (commit ${commit}, Bun ${bun}, ${platform})`;
}
