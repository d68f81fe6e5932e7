import { expect, test } from "bun:test";
import { parse } from "smol-toml";
import { z } from "zod";
import { configJsonSchema, configReference } from "../../../src/kit/config/docs.ts";

const schema = z.strictObject({
  name: z.string().describe("What it is | was called."),
  mode: z.enum(["fast", "safe"]).default("safe").describe("How."),
  net: z
    .strictObject({
      ports: z.array(z.int()).default([1, 2]),
      tls: z.strictObject({ on: z.boolean().default(false) }).prefault({}),
    })
    .prefault({})
    .describe("The network."),
  host: z
    .array(z.strictObject({ address: z.string().describe("Where."), port: z.int().default(1) }))
    .default([])
    .describe("One of many."),
});

const page = configReference({ title: "demo", intro: "An intro.", schema });

test("the page holds every key with type, default and meaning", () => {
  expect(page).toContain("\n# demo\n\nAn intro.\n\n| Key | Value | Default | Meaning |\n");
  expect(page).toContain("| `name` | text | none | What it is \\| was called. |\n");
  expect(page).toContain('| `mode` | `"fast"` or `"safe"` | `"safe"` | How. |\n');
  expect(page).toContain("## `[net]`\n\nThe network.\n\n");
  expect(page).toContain("| `ports` | list of whole number | `[1,2]` |  |\n");
  expect(page).toContain("## `[net.tls]`\n\n| Key");
  expect(page).toContain("## `[[host]]`\n\nOne of many.\n\n| Key");
  expect(page).toContain("| `address` | text | none | Where. |\n");
});

test("the file of defaults is TOML and says what the schema does", () => {
  const toml = /```toml\n([\s\S]*)\n```/.exec(page)?.[1] ?? "";
  const written = parse(toml);
  expect(written).toEqual({ mode: "safe", net: { ports: [1, 2], tls: { on: false } } });
  expect(schema.parse({ name: "x" })).toMatchObject(written);
});

test("the JSON schema closes its tables", () => {
  expect(configJsonSchema(schema)).toMatchObject({
    additionalProperties: false,
    required: ["name"],
    properties: { net: { additionalProperties: false } },
  });
});
