/**
 * The shape of a command: citty's `defineCommand` (meta, args, subCommands, run) plus what help,
 * completions, man pages and the reference need. A spec is data and stays light; what the command
 * does stands behind `await import()` in `run`. See docs/decisions/0001-citty.md.
 */
import type {
  BooleanArgDef,
  CommandMeta as CittyMeta,
  EnumArgDef,
  PositionalArgDef,
  StringArgDef,
} from "citty";

import type { Printer } from "../out/printer.ts";

/** What a value names, so that completions can offer it. */
export type Completion = "path" | "folder" | "none";

interface FlagExtras {
  /** Heading in help; see {@link CommandSpec.groups}. */
  readonly group?: string;
  /** Accepted, and shown nowhere. */
  readonly hidden?: boolean;
  /** Further sentences, only in `--help`, man pages and the reference. */
  readonly details?: string;
}

interface ValueExtras extends FlagExtras {
  /** May be given several times: the value is an array. */
  readonly repeatable?: boolean;
  readonly completes?: Completion;
}

/** A switch. With `repeatable` the value is how often it was given. */
export type SwitchSpec = BooleanArgDef & { readonly repeatable?: boolean } & FlagExtras;
/** A flag with a text. With `number` the value is a whole number within the bounds. */
export type TextSpec = StringArgDef &
  ValueExtras & { readonly number?: { readonly minimum: number; readonly maximum?: number } };
/** A flag whose value is one of a few words. */
export type ChoiceSpec = Omit<EnumArgDef, "options"> &
  ValueExtras & { readonly options: readonly string[] };
/** An argument that is no flag; at most one of a command's is `repeatable`. */
export type PositionalSpec = PositionalArgDef &
  ValueExtras & {
    readonly type: "positional";
    /** The only words that it can be. */
    readonly choices?: readonly string[];
  };

/** One argument of a command. */
export type ArgSpec =
  | (SwitchSpec & { readonly type: "boolean" })
  | (TextSpec & { readonly type: "string" })
  | (ChoiceSpec & { readonly type: "enum" })
  | PositionalSpec;

/**
 * The arguments of a command by name; names are kebab-case, in the order in which help shows
 * them.
 */
export type ArgsSpec = Readonly<Record<string, ArgSpec>>;

type ValueOf<D extends ArgSpec> = D extends { readonly type: "positional" }
  ? D extends { readonly repeatable: true }
    ? readonly string[]
    : D extends { readonly required: false }
      ? string | undefined
      : string
  : D extends { readonly type: "boolean" }
    ? D extends { readonly repeatable: true }
      ? number
      : boolean
    : D extends { readonly repeatable: true }
      ? readonly string[]
      : D extends { readonly number: object }
        ? number | undefined
        : D extends { readonly type: "enum"; readonly options: infer O extends readonly string[] }
          ? D extends { readonly default: string }
            ? O[number]
            : O[number] | undefined
          : D extends { readonly default: string }
            ? string
            : string | undefined;

/** The values of a command line by the names of the spec. */
export type ParsedArgs<A extends ArgsSpec> = { readonly [K in keyof A]: ValueOf<A[K]> };

/** What `run` gets. */
export interface CommandContext<A extends ArgsSpec = ArgsSpec> {
  readonly args: ParsedArgs<A>;
  /** Every positional in order, decoded as UTF-8: what is no UTF-8 holds U+FFFD. */
  readonly positionals: readonly string[];
  readonly printer: Printer;
  /** As it was called: `blit copy`, `triad blit copy`. */
  readonly commandPath: string;
  /** The arguments without the words of the command. */
  readonly argv: readonly string[];
  /** The bytes of the positionals, one latin1 character per byte: names on Linux are bytes. */
  rawPositionals(): readonly string[];
  /** The bytes of the values of a flag, in the order given, one latin1 character per byte. */
  rawValues(flag: string): readonly string[];
}

/** An example: what to type and what it does. */
export interface Example {
  readonly command: string;
  readonly description: string;
}

/** Names a command; `description` is the summary line, without full stop. */
export interface CommandMeta extends CittyMeta {
  readonly name: string;
  readonly description: string;
  /** For `--help` and the man page: paragraphs with blank lines between, broken as the code is. */
  readonly details?: string;
  /** Other names that people type for this; they are hinted at, not accepted. */
  readonly synonyms?: readonly string[];
}

/** A command, as data. */
export interface CommandSpec<A extends ArgsSpec = ArgsSpec> {
  readonly meta: CommandMeta;
  readonly args?: A;
  readonly subCommands?: Readonly<Record<string, () => Promise<CommandSpec> | CommandSpec>>;
  readonly examples?: readonly Example[];
  /** Order of the headings under which help shows the flags; unnamed groups follow. */
  readonly groups?: readonly string[];
  /** What exit codes mean here, where that says more than the table for all commands. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  /** Variables of the environment that the command reads, with what they do. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Everything after the first positional is handed on as it is: `run CMD --flag of CMD`. */
  readonly passThrough?: boolean;
  /** Its pages in the reference and the manual are those of another command, of the same words. */
  readonly borrowsPages?: boolean;
  /** A tool of its own, callable by its name through a symlink: `--version` speaks for it. */
  readonly tool?: boolean;
  /** Returns the exit code; nothing means 0. */
  // A method, so that a spec with its own argument types is still a CommandSpec.
  run?(context: CommandContext<A>): Promise<number | undefined> | Promise<void>;
}

/** citty's helper for types: hands the spec back as it is, with the types of its arguments. */
export function defineCommand<const A extends ArgsSpec>(spec: CommandSpec<A>): CommandSpec<A> {
  return spec;
}
