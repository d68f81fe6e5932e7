/**
 * Inline metadata of a script (PEP 723): the TOML in its `# /// script` block, read and changed.
 *
 * @see https://packaging.python.org/en/latest/specifications/inline-script-metadata/
 */
import type { SettingsTable } from "../../kit/config/layer.ts";
import { parseToml, type TomlFile } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { PackageName } from "../pep/name.ts";
import { parseSpecifierSet, type SpecifierSet } from "../pep/specifier.ts";
import { removeRequirement, setRequirement } from "./requirement-edit.ts";
import { type ProjectRequirement, readNamedRequirement } from "./requirement-line.ts";
import { parsedAt, rootTable, type TomlTable, tableAt, textAt, textsAt } from "./toml-table.ts";

/** A script's metadata. */
export interface ScriptMetadata {
  readonly dependencies: readonly ProjectRequirement[];
  readonly requiresPython?: SpecifierSet;
  /** [tool], as it was found. */
  readonly tool: SettingsTable;
}

/** The block in the text of a script. */
interface Block {
  /** Offsets of the whole block, from its `#` to the end of its last line, without line end. */
  readonly start: number;
  readonly end: number;
  /** The TOML in it. */
  readonly content: string;
  /** Line in the script of the first line of the content, from 1. */
  readonly firstLine: number;
}

/**
 * The reference expression of the standard, with line ends as Python's `re` sees them. A block
 * ends at the last `# ///` before a line that is no comment.
 */
const BLOCK =
  /(?<![^\n])# \/\/\/ (?<type>[a-zA-Z0-9-]+)\n(?<content>(?:#(?: [^\n]*)?\n)+)# \/\/\/(?![^\n])/g;

/**
 * Reads the metadata of a script.
 *
 * @param shown the script's name for messages
 * @param base folder that relative paths start from
 * @returns undefined when it has none
 * @throws {Fault} E_CONFIG two blocks; TOML and requirements that are wrong, with their line
 */
export async function readScriptMetadata(
  text: string,
  shown: string,
  base: string,
): Promise<ScriptMetadata | undefined> {
  const block = findBlock(text, shown);
  if (block === undefined) return undefined;
  // Blank lines in front give every place in the TOML the line that it has in the script.
  const padded = "\n".repeat(block.firstLine - 1) + block.content;
  const table = rootTable(await parseToml(shown, padded));
  const requiresPython = textAt(table, "requires-python");
  return {
    dependencies: dependenciesOf(table, base),
    ...(requiresPython === undefined
      ? {}
      : {
          requiresPython: parsedAt(table, ["requires-python"], () =>
            parseSpecifierSet(requiresPython),
          ),
        }),
    tool: tableAt(table, "tool")?.values ?? {},
  };
}

/**
 * The script with a requirement set in its block; a block is made where there is none, behind a
 * `#!` line.
 *
 * @throws {Fault} E_CONFIG as {@link readScriptMetadata}
 */
export async function setScriptRequirement(
  text: string,
  shown: string,
  requirement: string,
): Promise<string> {
  const block = findBlock(text, shown);
  const toml = await parseToml(shown, block?.content ?? "dependencies = []\n");
  const changed = await setRequirement(toml, ["dependencies"], requirement);
  return block === undefined ? withNewBlock(text, changed) : withBlock(text, block, changed);
}

/** The script without a name in its block, and what was there of it. */
export async function removeScriptRequirement(
  text: string,
  shown: string,
  name: PackageName,
): Promise<{ readonly text: string; readonly removed: readonly string[] }> {
  const block = findBlock(text, shown);
  if (block === undefined) return { text, removed: [] };
  const toml = await parseToml(shown, block.content);
  const { file, removed } = await removeRequirement(toml, ["dependencies"], name);
  return { text: withBlock(text, block, file), removed };
}

function findBlock(text: string, shown: string): Block | undefined {
  // Python opens scripts with universal line ends; offsets are those of the text with "\n".
  const plain = text.replaceAll("\r\n", "\n");
  const blocks = [...plain.matchAll(BLOCK)].filter((match) => match.groups?.["type"] === "script");
  const [first, second] = blocks;
  if (first === undefined) return undefined;
  if (second !== undefined) {
    const line = plain.slice(0, second.index).split("\n").length;
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${shown}:${line}": a script has only one "# /// script" block`,
    });
  }
  const content = (first.groups?.["content"] ?? "")
    .split("\n")
    .map((line) => (line.startsWith("# ") ? line.slice(2) : line.slice(1)))
    .join("\n");
  return {
    start: first.index,
    end: first.index + first[0].length,
    content,
    firstLine: plain.slice(0, first.index).split("\n").length + 1,
  };
}

function dependenciesOf(table: TomlTable, base: string): readonly ProjectRequirement[] {
  return (textsAt(table, "dependencies") ?? []).map((text, index) =>
    readNamedRequirement(text, {
      get origin() {
        return table.originOf(["dependencies", index]);
      },
      base,
    }),
  );
}

function withBlock(text: string, block: Block, toml: TomlFile): string {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const plain = text.replaceAll("\r\n", "\n");
  const changed = plain.slice(0, block.start) + blockText(toml) + plain.slice(block.end);
  return newline === "\n" ? changed : changed.replaceAll("\n", newline);
}

function withNewBlock(text: string, toml: TomlFile): string {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const block = blockText(toml).replaceAll("\n", newline);
  const shebang = /^#!.*(?:\r?\n|$)/.exec(text)?.[0] ?? "";
  const rest = text.slice(shebang.length);
  const gap = rest === "" || /^\r?\n/.test(rest) ? "" : newline;
  const head = shebang === "" || shebang.endsWith("\n") ? shebang : `${shebang}${newline}`;
  return `${head}${block}${newline}${gap}${rest}`;
}

function blockText(toml: TomlFile): string {
  const lines = toml.text.replace(/\n$/, "").split("\n");
  const commented = lines.map((line) => (line === "" ? "#" : `# ${line}`));
  return ["# /// script", ...commented, "# ///"].join("\n");
}
