import type { ArgSpec, CommandSpec, Completion, Example } from "./command.ts";
import { GLOBAL_ARGS } from "./globals.ts";
import { aliasesOf, isRequired, positionalLabel } from "./parse.ts";

/** A flag as it is shown: hidden ones are left out, `--no-x` stands for itself. */
export interface FlagModel {
  /** Short ones first: `["-n", "--dry-run"]`. */
  readonly spellings: readonly string[];
  /** `PATTERN`, `N`, `auto|always|never`; nothing for a switch. */
  readonly valueLabel: string | undefined;
  readonly choices: readonly string[];
  readonly completes: Completion;
  readonly repeatable: boolean;
  readonly required: boolean;
  readonly description: string;
  readonly details: string | undefined;
  readonly defaultText: string | undefined;
  readonly group: string;
}

/** A positional as it is shown. */
export interface PositionalModel {
  readonly label: string;
  readonly description: string;
  readonly choices: readonly string[];
  readonly completes: Completion;
  readonly required: boolean;
  readonly repeatable: boolean;
}

/**
 * A command with everything that help, completions, man pages and the reference show, hidden things
 * left out. It is the one table from which all four are made.
 */
export interface CommandModel {
  readonly name: string;
  /** As typed: `blit copy`. */
  readonly path: string;
  /** Words of its page in the reference and the manual; a tool's begin with its own name. */
  readonly page: readonly string[];
  /** Callable by its own name: `blit`, also where it is shown as `triad blit`. */
  readonly tool: boolean;
  /** Its pages are another command's. */
  readonly borrowsPages: boolean;
  readonly summary: string;
  readonly details: readonly string[];
  readonly flags: readonly FlagModel[];
  readonly groups: readonly string[];
  readonly positionals: readonly PositionalModel[];
  readonly commands: readonly CommandModel[];
  readonly examples: readonly Example[];
  readonly exitCodes: Readonly<Record<number, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

const DEFAULT_GROUP = "Options";

/** Resolves a spec and its subcommands, all the way down. */
export async function describeCommand(
  spec: CommandSpec,
  path: string,
  parentPage: readonly string[] = [],
): Promise<CommandModel> {
  const ownName = path.slice(path.lastIndexOf(" ") + 1);
  const page = spec.tool === true ? [spec.meta.name] : [...parentPage, ownName];
  const commands: CommandModel[] = [];
  for (const [name, load] of Object.entries(spec.subCommands ?? {})) {
    const child = await load();
    if (child.meta.hidden !== true) {
      commands.push(await describeCommand(child, `${path} ${name}`, page));
    }
  }
  // A command may give a global flag a further spelling; its place stays among the global ones.
  const all = { ...spec.args, ...GLOBAL_ARGS, ...spec.args } as Record<string, ArgSpec>;
  const args = Object.entries(all);
  return {
    name: spec.meta.name,
    path,
    page,
    tool: spec.tool === true,
    borrowsPages: spec.borrowsPages === true,
    summary: spec.meta.description,
    details: paragraphs(spec.meta.details ?? ""),
    flags: args.flatMap(([name, arg]) => flagModel(name, arg)),
    groups: spec.groups ?? [],
    positionals: args.flatMap(([name, arg]) => positionalModel(name, arg)),
    commands,
    examples: spec.examples ?? [],
    exitCodes: spec.exitCodes ?? {},
    environment: spec.environment ?? {},
  };
}

/** The text without the line breaks and indents that it has in the source. */
function paragraphs(text: string): readonly string[] {
  return text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim().replace(/\s+/g, " "))
    .filter((paragraph) => paragraph !== "");
}

function flagModel(name: string, spec: ArgSpec): FlagModel[] {
  if (spec.type === "positional" || spec.hidden === true) {
    return [];
  }
  const isNegative = spec.type === "boolean" && spec.default === true;
  const names = [...aliasesOf(spec), name].sort(
    (a, b) => Number(a.length > 1) - Number(b.length > 1),
  );
  const spellings = isNegative
    ? [`--no-${name}`]
    : names.map((spelling) => (spelling.length === 1 ? `-${spelling}` : `--${spelling}`));
  const choices = spec.type === "enum" ? spec.options : [];
  return [
    {
      spellings,
      valueLabel: valueLabel(name, spec),
      choices,
      completes: spec.type === "boolean" ? "none" : (spec.completes ?? "none"),
      repeatable: spec.repeatable === true,
      required: spec.required === true,
      description: (isNegative ? spec.negativeDescription : spec.description) ?? "",
      details: spec.details?.trim().replace(/\s+/g, " "),
      // An empty text is as good as none.
      defaultText: spec.type === "boolean" ? undefined : spec.default?.toString() || undefined,
      group: spec.group ?? DEFAULT_GROUP,
    },
  ];
}

function valueLabel(name: string, spec: ArgSpec): string | undefined {
  if (spec.type === "boolean") {
    return undefined;
  }
  const choices = spec.type === "enum" ? spec.options.join("|") : undefined;
  return spec.valueHint ?? choices ?? name.toUpperCase();
}

function positionalModel(name: string, spec: ArgSpec): PositionalModel[] {
  if (spec.type !== "positional" || spec.hidden === true) {
    return [];
  }
  return [
    {
      label: positionalLabel(name, spec),
      description: spec.description ?? "",
      choices: spec.choices ?? [],
      completes: spec.completes ?? "none",
      required: isRequired(spec),
      repeatable: spec.repeatable === true,
    },
  ];
}

/** `SRC… DST`, `[PATH…]`. */
export function positionalUsage(positional: PositionalModel): string {
  const label = `${positional.label}${positional.repeatable ? "…" : ""}`;
  return positional.required ? label : `[${label}]`;
}

/** `blit copy [OPTIONS] SRC… DST`. */
export function usageLine(model: CommandModel): string {
  const words = [model.path];
  if (model.commands.length > 0) {
    words.push("COMMAND");
  }
  words.push("[OPTIONS]", ...model.positionals.map(positionalUsage));
  return words.join(" ");
}

/** The flags under their headings: those of the spec's `groups` first, the global ones last. */
export function flagGroups(
  model: CommandModel,
): readonly (readonly [string, readonly FlagModel[]])[] {
  const globalGroup = GLOBAL_ARGS.help.group;
  const named = [...new Set([DEFAULT_GROUP, ...model.groups, ...model.flags.map((f) => f.group)])];
  const ordered = [...named.filter((group) => group !== globalGroup), globalGroup];
  return ordered
    .map((group) => [group, model.flags.filter((flag) => flag.group === group)] as const)
    .filter(([, flags]) => flags.length > 0);
}

/** The command and everything below it, outermost first. */
export function allCommands(model: CommandModel): readonly CommandModel[] {
  return [model, ...model.commands.flatMap(allCommands)];
}

/** The command and what is below it, without the tools, which have pages of their own. */
export function ownCommands(model: CommandModel): readonly CommandModel[] {
  if (model.borrowsPages) return [];
  return [model, ...model.commands.filter((child) => !child.tool).flatMap(ownCommands)];
}
