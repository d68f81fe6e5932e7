/**
 * The strict parser: what citty lets pass (unknown flags, surplus positionals, `-n3` as two
 * switches, only the last of repeated values) is either understood here or a usage error. Pure:
 * argv and specs in, values and problems out; whoever calls decides what a problem is worth next
 * to `--help`.
 */
import type { ArgSpec, ArgsSpec } from "./command.ts";

/** Where a value stands: the argument's index in argv and the offset within it. */
export interface Origin {
  readonly index: number;
  readonly start: number;
}

/** What was wrong with the command line. */
export type Problem =
  | { readonly kind: "unknown-flag"; readonly flag: string }
  | { readonly kind: "missing-value"; readonly flag: string; readonly next: string | undefined }
  | { readonly kind: "unexpected-value"; readonly flag: string; readonly value: string }
  | {
      readonly kind: "not-a-number";
      readonly flag: string;
      readonly value: string;
      readonly range: string;
    }
  | {
      readonly kind: "not-an-option";
      readonly flag: string;
      readonly value: string;
      readonly options: readonly string[];
    }
  | {
      readonly kind: "not-a-choice";
      readonly name: string;
      readonly value: string;
      readonly options: readonly string[];
    }
  | { readonly kind: "missing-flag"; readonly flag: string }
  | { readonly kind: "missing-positional"; readonly name: string }
  | { readonly kind: "surplus-positional"; readonly value: string };

/** A value of the command line. */
export type Value = string | number | boolean | readonly string[] | undefined;

/** A command line, taken apart. */
export interface Parsed {
  readonly values: Readonly<Record<string, Value>>;
  /** How each flag was spelled the last time it was given: `-h` or `--help`. */
  readonly spelled: Readonly<Record<string, string>>;
  readonly positionals: readonly string[];
  readonly positionalOrigins: readonly Origin[];
  readonly valueOrigins: Readonly<Record<string, readonly Origin[]>>;
  readonly problems: readonly Problem[];
}

/** How to parse. */
export interface ParseOptions {
  readonly args: ArgsSpec;
  /** Index in argv at which to begin. */
  readonly from?: number;
  /** Stop before the first positional: it names a subcommand. */
  readonly stopAtPositional?: boolean;
  /** What follows the first positional are positionals: another command's words and flags. */
  readonly passThrough?: boolean;
}

/** {@link Parsed}, and where parsing stopped: argv.length, or the index of the subcommand. */
export interface ParsedPrefix extends Parsed {
  readonly end: number;
}

interface Flag {
  readonly name: string;
  readonly spec: ArgSpec;
  /** False for `--no-name`. */
  readonly positive: boolean;
}

/** Parses argv from `from` on against the arguments of one command. */
export function parseArguments(argv: readonly string[], options: ParseOptions): ParsedPrefix {
  const state = new ParseState(options.args);
  let index = options.from ?? 0;
  let flagsEnded = false;
  while (index < argv.length) {
    const token = argv[index] ?? "";
    if (!flagsEnded && token === "--") {
      flagsEnded = true;
      index += 1;
    } else if (flagsEnded || token === "-" || !token.startsWith("-")) {
      if (options.stopAtPositional === true) {
        break;
      }
      state.addPositional(token, index);
      flagsEnded ||= options.passThrough === true;
      index += 1;
    } else {
      index += token.startsWith("--") ? state.takeLong(argv, index) : state.takeShort(argv, index);
    }
  }
  if (options.stopAtPositional !== true) {
    state.distributePositionals();
  }
  return { ...state.finish(), end: index };
}

/**
 * A command line says few of the many flags that a command has, so a flag is looked for when it is
 * said, and no table of all is made. Loops rather than callbacks: this runs once, in cold code, and
 * what is called 34 times is handed to a compiler (docs/bun.md).
 */
class ParseState {
  readonly #args: ArgsSpec;
  readonly #names: readonly string[];
  readonly #values: Record<string, Value> = {};
  readonly #spelled: Record<string, string> = {};
  readonly #valueOrigins: Record<string, Origin[]> = {};
  readonly #positionals: string[] = [];
  readonly #positionalOrigins: Origin[] = [];
  readonly #problems: Problem[] = [];

  constructor(args: ArgsSpec) {
    this.#args = args;
    this.#names = Object.keys(args);
  }

  /** The flag of this spelling, without its dashes; of several, the one declared last. */
  #find(text: string): Flag | undefined {
    const negated = text.startsWith("no-") && text.length > 4 ? text.slice(3) : undefined;
    for (let at = this.#names.length - 1; at >= 0; at -= 1) {
      const name = this.#names[at] ?? "";
      const spec = this.#args[name];
      if (spec === undefined || spec.type === "positional") continue;
      const { alias } = spec;
      if (negated !== undefined && name === negated && isNegatable(spec)) {
        return { name, spec, positive: false };
      }
      if (name === text || alias === text) return { name, spec, positive: true };
      if (alias === undefined) continue;
      const isSwitch = spec.type === "boolean" && spec.repeatable !== true;
      for (const spelling of typeof alias === "string" ? [alias] : alias) {
        if (spelling === text) return { name, spec, positive: true };
        if (isSwitch && spelling === negated) {
          return { name, spec, positive: false };
        }
      }
    }
    return undefined;
  }

  addPositional(value: string, index: number): void {
    this.#positionals.push(value);
    this.#positionalOrigins.push({ index, start: 0 });
  }

  /** Returns how many arguments it has used up. */
  takeLong(argv: readonly string[], index: number): number {
    const token = argv[index] ?? "";
    const equals = token.indexOf("=");
    const spelling = equals === -1 ? token : token.slice(0, equals);
    const text = spelling.slice(2);
    const flag = text.length === 1 ? undefined : this.#find(text);
    if (flag === undefined) {
      this.#problems.push({ kind: "unknown-flag", flag: spelling });
      return 1;
    }
    const inline = equals === -1 ? undefined : { index, start: equals + 1 };
    return this.#take(flag, { argv, index, spelling, inline });
  }

  /** A bundle: switches, of which the last may take a value: `-nq`, `-n3`, `-n 3`, `-n=3`. */
  takeShort(argv: readonly string[], index: number): number {
    const token = argv[index] ?? "";
    for (let at = 1; at < token.length; at += 1) {
      const letter = token[at] ?? "";
      const spelling = `-${letter}`;
      const flag = this.#find(letter);
      if (flag === undefined) {
        this.#problems.push({ kind: "unknown-flag", flag: at === 1 ? token : spelling });
        return 1;
      }
      const rest = token.slice(at + 1);
      if (rest.startsWith("=")) {
        const inline = { index, start: at + 2 };
        return this.#take(flag, { argv, index, spelling, inline });
      }
      if (takesValue(flag)) {
        const inline = rest === "" ? undefined : { index, start: at + 1 };
        return this.#take(flag, { argv, index, spelling, inline });
      }
      this.#take(flag, { argv, index, spelling, inline: undefined });
    }
    return 1;
  }

  #take(
    flag: Flag,
    at: {
      readonly argv: readonly string[];
      readonly index: number;
      readonly spelling: string;
      readonly inline: Origin | undefined;
    },
  ): number {
    const { argv, index, spelling, inline } = at;
    this.#spelled[flag.name] = spelling;
    const inlineText = inline === undefined ? undefined : argv[inline.index]?.slice(inline.start);
    if (!takesValue(flag)) {
      if (inlineText !== undefined) {
        this.#problems.push({ kind: "unexpected-value", flag: spelling, value: inlineText });
      }
      this.#setSwitch(flag);
      return 1;
    }
    if (inline !== undefined && inlineText !== undefined) {
      this.#setValue(flag, { spelling, text: inlineText, origin: inline });
      return 1;
    }
    const next = argv[index + 1];
    if (next === undefined || (next.startsWith("-") && next !== "-")) {
      this.#problems.push({ kind: "missing-value", flag: spelling, next });
      return 1;
    }
    this.#setValue(flag, { spelling, text: next, origin: { index: index + 1, start: 0 } });
    return 2;
  }

  #setSwitch(flag: Flag): void {
    if (flag.spec.type === "enum") {
      this.#values[flag.name] = "never";
    } else if (flag.spec.type === "boolean" && flag.spec.repeatable === true) {
      this.#values[flag.name] = Number(this.#values[flag.name] ?? 0) + 1;
    } else {
      this.#values[flag.name] = flag.positive;
    }
  }

  #setValue(flag: Flag, given: { spelling: string; text: string; origin: Origin }): void {
    const { name, spec } = flag;
    const { spelling, text, origin } = given;
    const isRepeatable = spec.type !== "boolean" && spec.repeatable === true;
    if (spec.type === "enum" && !spec.options.includes(text)) {
      const { options } = spec;
      this.#problems.push({ kind: "not-an-option", flag: spelling, value: text, options });
      return;
    }
    if (spec.type === "string" && spec.number !== undefined) {
      const { minimum, maximum = Number.MAX_SAFE_INTEGER } = spec.number;
      const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      if (!(number >= minimum && number <= maximum)) {
        const range = rangeText(spec.number);
        this.#problems.push({ kind: "not-a-number", flag: spelling, value: text, range });
        return;
      }
      this.#values[name] = number;
    } else if (isRepeatable) {
      this.#values[name] = [...((this.#values[name] as string[] | undefined) ?? []), text];
    } else {
      this.#values[name] = text;
    }
    const origins = isRepeatable ? (this.#valueOrigins[name] ?? []) : [];
    this.#valueOrigins[name] = [...origins, origin];
  }

  /** Gives each declared positional its share; the repeatable one takes what the others leave. */
  distributePositionals(): void {
    const rest = [...this.#positionals];
    let neededLater = 0;
    for (const name of this.#names) {
      const spec = this.#args[name];
      if (spec?.type === "positional" && spec.required !== false) neededLater += 1;
    }
    for (const name of this.#names) {
      const spec = this.#args[name];
      if (spec === undefined || spec.type !== "positional") continue;
      if (isRequired(spec)) neededLater -= 1;
      const isRepeatable = spec.repeatable === true;
      const share = isRepeatable ? Math.max(rest.length - neededLater, 0) : 1;
      const taken =
        rest.length > (isRequired(spec) ? 0 : neededLater)
          ? rest.splice(0, isRequired(spec) ? Math.max(share, 1) : share)
          : [];
      if (taken.length === 0 && isRequired(spec)) {
        this.#problems.push({ kind: "missing-positional", name: positionalLabel(name, spec) });
      }
      this.#checkChoices(positionalLabel(name, spec), { spec, taken });
      this.#values[name] = isRepeatable ? taken : taken[0];
    }
    for (const value of rest) {
      this.#problems.push({ kind: "surplus-positional", value });
    }
  }

  #checkChoices(name: string, given: { spec: ArgSpec; taken: readonly string[] }): void {
    const options = given.spec.type === "positional" ? (given.spec.choices ?? []) : [];
    for (const value of options.length === 0 ? [] : given.taken) {
      if (!options.includes(value)) {
        this.#problems.push({ kind: "not-a-choice", name, value, options });
      }
    }
  }

  finish(): Parsed {
    for (const name of this.#names) {
      const spec = this.#args[name];
      if (spec === undefined || spec.type === "positional") continue;
      if (this.#values[name] !== undefined) continue;
      if (spec.default === undefined) {
        const isMany = spec.repeatable === true;
        if (spec.type === "boolean") this.#values[name] = isMany ? 0 : false;
        else this.#values[name] = isMany ? [] : undefined;
        if (spec.required === true) {
          this.#problems.push({ kind: "missing-flag", flag: `--${name}` });
        }
      } else {
        const isNumber = spec.type === "string" && spec.number !== undefined;
        this.#values[name] = isNumber ? Number(spec.default) : spec.default;
      }
    }
    return {
      values: this.#values,
      spelled: this.#spelled,
      positionals: this.#positionals,
      positionalOrigins: this.#positionalOrigins,
      valueOrigins: this.#valueOrigins,
      problems: this.#problems,
    };
  }
}

/** The other spellings of a flag; one letter means a short flag. */
export function aliasesOf(spec: ArgSpec): readonly string[] {
  if (spec.type === "positional" || spec.alias === undefined) {
    return [];
  }
  return typeof spec.alias === "string" ? [spec.alias] : spec.alias;
}

/** What help calls a positional: `SRC`. */
export function positionalLabel(name: string, spec: ArgSpec): string {
  return spec.valueHint ?? name.toUpperCase();
}

/**
 * True if the command cannot do without the argument. Positionals are required unless they say
 * so.
 */
export function isRequired(spec: ArgSpec): boolean {
  return spec.type === "positional" ? spec.required !== false : spec.required === true;
}

/** The bounds of a number, in words. */
export function rangeText(range: { readonly minimum: number; readonly maximum?: number }): string {
  return range.maximum === undefined
    ? `a whole number from ${range.minimum} up`
    : `a whole number from ${range.minimum} to ${range.maximum}`;
}

/**
 * Whether `--no-NAME` is the flag's opposite. `--no-color` is what NO_COLOR's own page asks for, of
 * a flag that has three values.
 */
function isNegatable(spec: ArgSpec): boolean {
  if (spec.type === "enum") return spec.options.includes("never");
  return spec.type === "boolean" && spec.repeatable !== true;
}

function takesValue(flag: Flag): boolean {
  return flag.spec.type !== "boolean" && flag.positive;
}
