import type { CommandModel, FlagModel } from "./model.ts";
import { flagGroups, ownCommands, positionalUsage } from "./model.ts";

/** A manual page: `blit-copy.1` and its roff source. */
export interface ManPage {
  readonly fileName: string;
  readonly text: string;
}

/** What the head of a page tells. */
export interface ManOptions {
  readonly version: string;
}

/** The pages of a tool: one for itself, one for each of its commands. */
export function manPages(model: CommandModel, options: ManOptions): readonly ManPage[] {
  const pages = ownCommands(model);
  return pages.map((page) => ({
    fileName: `${pageName(page)}.1`,
    text: renderPage(page, { ...options, related: related(page, pages) }),
  }));
}

function renderPage(
  model: CommandModel,
  options: ManOptions & { readonly related: readonly string[] },
): string {
  const name = pageName(model);
  const own = model.page.join(" ");
  const source = argument(`triad ${options.version}`);
  const lines = [
    `.TH ${argument(name.toUpperCase())} 1 "" ${source} "User Commands"`,
    ".SH NAME",
    `${escapeRoff(name)} \\- ${escapeRoff(lowerFirst(model.summary))}`,
    ".SH SYNOPSIS",
    `.B ${escapeRoff(own)}`,
    escapeRoff(
      [
        ...(model.commands.length > 0 ? ["COMMAND"] : []),
        "[OPTIONS]",
        ...model.positionals.map(positionalUsage),
      ].join(" "),
    ),
  ];
  const paragraphs = model.details.length > 0 ? model.details : [`${model.summary}.`];
  lines.push(".SH DESCRIPTION", ...paragraphs.flatMap((text, index) => paragraph(text, index)));
  lines.push(
    ...section(
      "COMMANDS",
      model.commands.map((child) => [bold(child.name), child.summary]),
    ),
    ...section(
      "ARGUMENTS",
      model.positionals.map((positional) => [
        bold(positionalUsage(positional)),
        positional.description,
      ]),
    ),
  );
  lines.push(".SH OPTIONS");
  for (const [group, flags] of flagGroups(model)) {
    lines.push(`.SS ${argument(group)}`, ...flags.flatMap(flagEntry));
  }
  lines.push(...examples(model));
  lines.push(
    ...section("EXIT STATUS", Object.entries(model.exitCodes)),
    ...section("ENVIRONMENT", Object.entries(model.environment)),
  );
  if (options.related.length > 0) {
    lines.push(".SH SEE ALSO", options.related.map((page) => `${bold(page)}(1)`).join(", "));
  }
  return `${lines.join("\n")}\n`;
}

function related(page: CommandModel, pages: readonly CommandModel[]): readonly string[] {
  const above = pages.filter((other) => other.commands.includes(page));
  const tools = page.commands.filter((child) => child.tool);
  const below = page.commands.filter((child) => !child.tool);
  return [...above, ...below, ...tools].map(pageName);
}

function section(title: string, rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) {
    return [];
  }
  return [`.SH ${title}`, ...rows.flatMap(([term, text]) => [".TP", term, escapeRoff(text)])];
}

function flagEntry(flag: FlagModel): string[] {
  const value = flag.valueLabel === undefined ? "" : ` \\fI${escapeRoff(flag.valueLabel)}\\fR`;
  const text =
    flag.details === undefined ? flag.description : `${flag.description}. ${flag.details}`;
  const notes = flag.defaultText === undefined ? "" : ` (default: ${flag.defaultText})`;
  return [".TP", `${flag.spellings.map(bold).join(", ")}${value}`, escapeRoff(text + notes)];
}

function examples(model: CommandModel): string[] {
  if (model.examples.length === 0) {
    return [];
  }
  const entries = model.examples.flatMap((example) => [
    ".PP",
    `${escapeRoff(example.description)}:`,
    ".PP",
    ".nf",
    `.RS 4`,
    escapeRoff(example.command),
    ".RE",
    ".fi",
  ]);
  return [".SH EXAMPLES", ...entries];
}

function paragraph(text: string, index: number): string[] {
  return [...(index === 0 ? [] : [".PP"]), escapeRoff(text)];
}

function bold(text: string): string {
  return `\\fB${escapeRoff(text)}\\fR`;
}

/** `blit-copy`. */
function pageName(model: CommandModel): string {
  return model.page.join("-");
}

/** An argument of a macro: in quotes, which are themselves doubled. */
function argument(text: string): string {
  return `"${escapeRoff(text).replaceAll('"', '""')}"`;
}

/** Roff takes backslashes, and dots and quotes at the start of a line, for its own. */
function escapeRoff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("…", "...")
    .replaceAll("~", "\\(ti")
    .replaceAll("^", "\\(ha")
    .replace(/^(?=[.'])/gm, "\\&");
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
