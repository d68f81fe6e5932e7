import { z } from "zod";
import { type KeySpec, parseSize, TABLE_SPECS, type TableSpec } from "./config-keys.ts";

/** blast.toml as a zod schema, made from config-keys.ts: for messages and the reference page. */
export const blastConfigSchema: z.ZodType<object> = z.strictObject(
  mapValues(TABLE_SPECS, tableSchema),
);

function tableSchema({ about, keys }: TableSpec): z.ZodType {
  const shape = mapValues(Object.entries(keys), keySchema);
  return z.strictObject(shape).prefault({}).describe(about);
}

function keySchema(spec: KeySpec): z.ZodType {
  const note = spec.effect === false ? " **No effect yet.**" : "";
  return valueSchema(spec).describe(`${spec.about}${note}`);
}

function valueSchema(spec: KeySpec): z.ZodType {
  switch (spec.kind) {
    case "text":
      return z.string().default(spec.default);
    case "flag":
      return z.boolean().default(spec.default);
    case "count":
      return z.int().min(spec.min).default(spec.default);
    case "choice":
      return z.enum([...spec.of]).default(spec.default);
    case "list":
      return z.array(z.string()).default([...spec.default]);
    case "size":
      return z
        .string()
        .refine((text) => parseSize(text) !== undefined, 'must be a size such as "10 GiB"')
        .default(spec.default);
  }
}

function mapValues<In, Out>(
  entries: Iterable<readonly [string, In]>,
  change: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries([...entries].map(([key, value]) => [key, change(value)]));
}
