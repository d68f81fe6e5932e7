/** blit's user config, `~/.config/blit/config.toml`. Without it: one access check, no zod. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Layer, SettingsTable } from "../kit/config/layer.ts";
import { type Environment, xdgPaths } from "../kit/config/paths.ts";

/** Settings that hold when no flag says otherwise. */
export interface BlitConfig {
  readonly transfer: {
    readonly xattrs: boolean;
    readonly owner: boolean;
    /** gitignore patterns; `originOf(["transfer", "exclude", n])` tells where one stands. */
    readonly exclude: readonly string[];
    readonly progress: boolean;
  };
  readonly telemetry: { readonly enabled: boolean };
  /** Where a value comes from: "/…/config.toml:4" or "default". */
  originOf(path: readonly (string | number)[]): string;
}

/** What holds without a config file. The same as the schema's defaults (checked by a test). */
export const BLIT_CONFIG_DEFAULTS: Omit<BlitConfig, "originOf"> = {
  transfer: { xattrs: true, owner: true, exclude: [], progress: true },
  telemetry: { enabled: true },
};

/**
 * The user's settings with `flags` laid over them: a nested table such as
 * `{ transfer: { xattrs: false } }`, in which undefined stands for a flag that was not given.
 * BLIT_DISABLE_LOCAL_TELEMETRY is the telemetry's own business.
 *
 * @throws {Fault} E_CONFIG when the file cannot be read or understood
 */
export async function loadBlitConfig(
  environment: Environment = process.env,
  flags: SettingsTable = {},
): Promise<BlitConfig> {
  const path = blitConfigPath(environment);
  if (!existsSync(path)) return overDefaults(flags);
  const layers: Layer[] = [{ name: "flags", values: flags, originOf: (key) => `--${key.at(-1)}` }];
  const { loadConfig } = await import("../kit/config/load.ts");
  const { blitConfigSchema } = await import("./config-schema.ts");
  const loaded = await loadConfig({
    schema: blitConfigSchema,
    files: [{ name: "user", path }],
    layers,
  });
  return withOrigins(loaded.values, loaded.originOf);
}

/** Without a file nothing needs layers, nor a schema: the usual case, on the way of every copy. */
function overDefaults(flags: SettingsTable): BlitConfig {
  const givenIn = (table: string): SettingsTable => (flags[table] ?? {}) as SettingsTable;
  const over = <Table extends object>(table: string, defaults: Table): Table => {
    const given: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(givenIn(table))) {
      if (value !== undefined) given[key] = value;
    }
    return { ...defaults, ...given };
  };
  return {
    transfer: over("transfer", BLIT_CONFIG_DEFAULTS.transfer),
    telemetry: over("telemetry", BLIT_CONFIG_DEFAULTS.telemetry),
    originOf: ([table = "", key = ""]) =>
      givenIn(String(table))[key] === undefined ? "default" : `--${key}`,
  };
}

/** Where the config file would lie. */
export function blitConfigPath(environment: Environment): string {
  return join(xdgPaths(environment).config, "blit", "config.toml");
}

function withOrigins(
  values: Omit<BlitConfig, "originOf">,
  originOf: (path: readonly (string | number)[]) => string | undefined,
): BlitConfig {
  return { ...values, originOf: (path) => originOf(path) ?? "default" };
}
