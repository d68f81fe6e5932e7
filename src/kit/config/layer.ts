/**
 * Settings from several places laid over each other, each value with the place that it came from:
 * defaults < system < user < project < environment < flags. Tables are merged key by key; every
 * other value, a list too, replaces the one below. Pure.
 */
import type { KeyPath } from "./locate.ts";

/** From the weakest to the strongest. */
export const LAYER_NAMES = ["default", "system", "user", "project", "env", "flags"] as const;

/** Kind of a place that settings come from. */
export type LayerName = (typeof LAYER_NAMES)[number];

/** A table of settings as parsed: nested plain objects. */
export type SettingsTable = { readonly [key: string]: unknown };

/** The settings of one place. */
export interface Layer {
  readonly name: LayerName;
  readonly values: SettingsTable;
  /** Names the place of a value for people: "/etc/x.toml:4", "BLIT_X", "--no-owner". */
  originOf(path: KeyPath): string;
}

/** Settings of all layers, and where each comes from. */
export interface MergedLayers {
  readonly values: SettingsTable;
  /** The place of a value; that of the nearest table or list above a path inside of it. */
  originOf(path: KeyPath): string | undefined;
}

/** Lays the layers over each other; their order in the list matters only within a name. */
export function mergeLayers(layers: readonly Layer[]): MergedLayers {
  const rank = (layer: Layer) => LAYER_NAMES.indexOf(layer.name);
  const sorted = [...layers].sort((a, b) => rank(a) - rank(b));
  const values: Record<string, unknown> = {};
  const origins: Origins = new Map();
  for (const layer of sorted) overlay(values, layer.values, [], layer, origins);
  return {
    values,
    originOf: (path) => {
      for (let length = path.length; length > 0; length -= 1) {
        const found = origins.get(JSON.stringify(path.slice(0, length)));
        if (found !== undefined) return found.layer.originOf(found.path);
      }
      return undefined;
    },
  };
}

/** Which layer a path is from: its place is looked up when somebody asks. */
type Origins = Map<string, { readonly layer: Layer; readonly path: KeyPath }>;

function overlay(
  target: Record<string, unknown>,
  source: SettingsTable,
  above: KeyPath,
  layer: Layer,
  origins: Origins,
): void {
  for (const [key, value] of Object.entries(source)) {
    if (value === undefined) continue; // a flag that was not given
    const path = [...above, key];
    if (isTable(value)) {
      const old = Object.hasOwn(target, key) ? target[key] : undefined;
      const table = isTable(old) ? (old as Record<string, unknown>) : {};
      setOwn(target, key, table);
      if (!isTable(old)) origins.set(JSON.stringify(path), { layer, path });
      overlay(table, value, path, layer, origins);
    } else {
      forget(origins, path);
      setOwn(target, key, value);
      origins.set(JSON.stringify(path), { layer, path });
    }
  }
}

/** Also a key named `__proto__` is just a key. */
function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** A value that replaces a table takes the places of what was in it along. */
function forget(origins: Origins, path: KeyPath): void {
  const prefix = JSON.stringify(path).slice(0, -1);
  for (const id of origins.keys()) if (id.startsWith(`${prefix},`)) origins.delete(id);
}

function isTable(value: unknown): value is SettingsTable {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
