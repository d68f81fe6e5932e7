/**
 * The reference page and the JSON schema of a config file, made from its zod schema, so that they
 * cannot say anything else than what is checked. Used by the docs script, never by a command.
 */
import { z } from "zod";

/** A node of a JSON schema, as far as the page uses it. */
interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
}

/** The JSON schema of what a user may write (draft 2020-12), for editors. */
export function configJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: "input" });
}

/** The reference page in markdown: a table of keys for each section, and a file of all defaults. */
export function configReference(options: {
  readonly title: string;
  /** Paragraphs below the title. */
  readonly intro: string;
  readonly schema: z.ZodType;
}): string {
  const root = configJsonSchema(options.schema) as SchemaNode;
  const { plain, tables } = split(root);
  const parts = [`# ${options.title}`, options.intro];
  if (plain.length > 0) parts.push(keyTable(plain));
  for (const [name, node] of tables) parts.push(...section(name, node));
  parts.push("## All defaults", `\`\`\`toml\n${defaultsToml(root, [])}\n\`\`\``);
  return `${parts.join("\n\n")}\n`;
}

type Entry = [name: string, node: SchemaNode];

function section(name: string, node: SchemaNode): string[] {
  const { plain, tables } = split(node);
  const parts = [`## \`[${name}]\``];
  if (node.description !== undefined) parts.push(node.description);
  if (plain.length > 0) parts.push(keyTable(plain));
  for (const [inner, table] of tables) parts.push(...section(`${name}.${inner}`, table));
  return parts;
}

function split(node: SchemaNode): { plain: Entry[]; tables: Entry[] } {
  const entries = Object.entries(node.properties ?? {});
  return {
    plain: entries.filter(([, one]) => one.properties === undefined),
    tables: entries.filter(([, one]) => one.properties !== undefined),
  };
}

function keyTable(entries: readonly Entry[]): string {
  const rows = entries.map(([name, node]) => {
    const meaning = cell(node.description ?? "");
    return `| \`${name}\` | ${typeText(node)} | ${defaultText(node)} | ${meaning} |`;
  });
  return ["| Key | Value | Default | Meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: "true or false",
  string: "text",
  number: "number",
  integer: "whole number",
  object: "table",
};

function typeText(node: SchemaNode): string {
  if (node.enum !== undefined) {
    return cell(node.enum.map((one) => `\`${JSON.stringify(one)}\``).join(" or "));
  }
  if (node.type === "array") return `list of ${node.items ? typeText(node.items) : "values"}`;
  return typeof node.type === "string" ? (TYPES[node.type] ?? node.type) : "value";
}

function defaultText(node: SchemaNode): string {
  return node.default === undefined ? "none" : cell(`\`${JSON.stringify(node.default)}\``);
}

/** JSON of plain values and lists is TOML as well. */
function defaultsToml(node: SchemaNode, path: readonly string[]): string {
  const { plain, tables } = split(node);
  const blocks: string[] = [];
  const lines = plain
    .filter(([, one]) => one.default !== undefined)
    .map(([name, one]) => `${name} = ${JSON.stringify(one.default)}`);
  if (lines.length > 0) {
    const header = path.length > 0 ? [`[${path.join(".")}]`] : [];
    blocks.push([...header, ...lines].join("\n"));
  }
  for (const [name, table] of tables) {
    const inner = defaultsToml(table, [...path, name]);
    if (inner !== "") blocks.push(inner);
  }
  return blocks.join("\n\n");
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
