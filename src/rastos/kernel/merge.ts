import type { ConfigLine } from "./config-file.ts";

/** Settings that belong together, and their name for people. */
export interface ConfigLayer {
  /** `defconfig`, `profile production`, a file. */
  readonly name: string;
  readonly lines: readonly ConfigLine[];
}

/** A setting, and which layer it comes from. */
export interface Setting {
  readonly symbol: string;
  readonly value: string;
  readonly layer: string;
  readonly line: number;
}

/** A setting that a later one has taken the place of. */
export interface Override {
  readonly symbol: string;
  readonly from: Setting;
  readonly to: Setting;
}

/** What comes of laying configurations over each other. */
export interface MergedConfig {
  /** All of them; what is wanted stands last, in its order. */
  readonly settings: readonly Setting[];
  /** What the layers after the first say: what has to be there in the end. */
  readonly wanted: readonly Setting[];
  readonly overrides: readonly Override[];
}

/**
 * Lays configurations over each other; the later one wins. The first layer is the base: its
 * settings are defaults, those of the others are wanted. Wanted ones stand last in the result: of
 * the members of a choice Kconfig takes the one that is set last.
 */
export function mergeConfigs(layers: readonly ConfigLayer[]): MergedConfig {
  const settings = new Map<string, Setting>();
  const wanted = new Set<string>();
  const overrides: Override[] = [];
  for (const [index, { name, lines }] of layers.entries()) {
    for (const { symbol, value, line } of lines) {
      const to: Setting = { symbol, value, layer: name, line };
      const from = settings.get(symbol);
      if (from !== undefined && from.value !== value) overrides.push({ symbol, from, to });
      // A Map keeps a key's first place.
      settings.delete(symbol);
      settings.set(symbol, to);
      if (index > 0) wanted.add(symbol);
    }
  }
  const all = [...settings.values()];
  const isWanted = (setting: Setting): boolean => wanted.has(setting.symbol);
  return {
    settings: [...all.filter((setting) => !isWanted(setting)), ...all.filter(isWanted)],
    wanted: all.filter(isWanted),
    overrides,
  };
}
