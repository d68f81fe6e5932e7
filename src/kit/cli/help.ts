import type { Style } from "../out/style.ts";
import type { CommandModel, FlagModel } from "./model.ts";
import { flagGroups, positionalUsage, usageLine } from "./model.ts";

/** How help is shown. */
export interface HelpOptions {
  /** `--help` rather than `-h`: with details, exit codes and environment. */
  readonly long: boolean;
  readonly style: Style;
  /** Width in columns that lines are wrapped to. */
  readonly columns: number;
}

const COLUMNS_MAX = 100;
const LABEL_COLUMNS_MAX = 28;
const DOCS = "docs/reference/commands/";

/** The help of one command, without a line break at its end. */
export function renderHelp(model: CommandModel, options: HelpOptions): string {
  const columns = Math.min(options.columns, COLUMNS_MAX);
  const page = new HelpPage(options.style, columns);
  page.lines.push(model.summary, "", `${options.style.heading("Usage:")} ${usageLine(model)}`);
  if (options.long) {
    for (const paragraph of model.details) {
      page.lines.push("", ...wrap(paragraph, columns));
    }
  }
  addExamples(page, model);
  page.table(
    "Commands",
    model.commands.map((command) => [command.name, command.summary]),
  );
  page.table(
    "Arguments",
    model.positionals.map((positional) => [positionalUsage(positional), positional.description]),
  );
  for (const [group, flags] of flagGroups(model)) {
    page.table(
      group,
      flags.map((flag) => [flagLabel(flag), flagText(flag, options.long)]),
    );
  }
  if (options.long) {
    page.table("Exit codes", Object.entries(model.exitCodes));
    page.table("Environment", Object.entries(model.environment));
  }
  page.lines.push("", footer(model, options.long));
  return page.lines.join("\n");
}

class HelpPage {
  readonly lines: string[] = [];
  readonly #style: Style;
  readonly #columns: number;

  constructor(style: Style, columns: number) {
    this.#style = style;
    this.#columns = columns;
  }

  heading(title: string): void {
    this.lines.push("", this.#style.heading(`${title}:`));
  }

  /** Two columns; a label that is too wide gets a line of its own. Nothing for no rows. */
  table(title: string, rows: readonly (readonly [string, string])[]): void {
    if (rows.length === 0) {
      return;
    }
    this.heading(title);
    const labelled = rows.filter(([label]) => label.length <= LABEL_COLUMNS_MAX);
    const width = Math.max(...labelled.map(([label]) => label.length), 0);
    const indent = " ".repeat(width + 4);
    for (const [label, text] of rows) {
      const wrapped = wrap(text, Math.max(this.#columns - indent.length, 20));
      const fits = label.length <= width;
      const shown = `  ${this.#style.done(label)}`;
      this.lines.push(
        fits ? `${shown}${" ".repeat(width - label.length + 2)}${wrapped.shift() ?? ""}` : shown,
      );
      this.lines.push(...wrapped.map((line) => indent + line));
    }
  }
}

function addExamples(page: HelpPage, model: CommandModel): void {
  if (model.examples.length === 0) {
    return;
  }
  page.heading("Examples");
  for (const example of model.examples) {
    page.lines.push(`  # ${example.description}`, `  ${example.command}`);
  }
}

/** `-n, --dry-run`, `    --exclude <PATTERN>…`. */
export function flagLabel(flag: FlagModel): string {
  const spelled = flag.spellings.join(", ");
  const value = flag.valueLabel === undefined ? "" : ` <${flag.valueLabel}>`;
  const indent = flag.spellings[0]?.startsWith("--") === true ? "    " : "";
  return `${indent}${spelled}${value}`;
}

function flagText(flag: FlagModel, long: boolean): string {
  const notes = [
    flag.choices.length > 0 ? flag.choices.join(", ") : "",
    flag.defaultText === undefined ? "" : `default: ${flag.defaultText}`,
    flag.repeatable && flag.valueLabel !== undefined ? "may be repeated" : "",
  ].filter((note) => note !== "");
  const summary =
    notes.length === 0 ? flag.description : `${flag.description} [${notes.join("; ")}]`;
  return long && flag.details !== undefined ? `${summary}. ${flag.details}` : summary;
}

function footer(model: CommandModel, long: boolean): string {
  const page = `${DOCS}${model.page.join("-")}.md`;
  if (model.commands.length > 0) {
    return `"${model.path} COMMAND --help" explains a command. Reference: ${page}`;
  }
  return long ? `Reference: ${page}` : `"${model.path} --help" says more. Reference: ${page}`;
}

/** Breaks a paragraph into lines of at most `columns`, at spaces; a longer word stays whole. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
