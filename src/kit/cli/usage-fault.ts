import { Fault } from "../fault/fault.ts";
import type { ArgSpec, ArgsSpec, CommandSpec } from "./command.ts";
import { GLOBAL_ARGS } from "./globals.ts";
import type { Problem } from "./parse.ts";
import { aliasesOf, isRequired, positionalLabel } from "./parse.ts";
import type { Candidate } from "./suggest.ts";
import { suggest } from "./suggest.ts";

/** The command at which a command line went wrong. */
export interface Place {
  readonly spec: CommandSpec;
  /** As it was called: `blit copy`. */
  readonly path: string;
}

/** A problem of the command line as the fault that is shown. Loaded only when there is one. */
export async function usageFault(problem: Problem, place: Place): Promise<Fault> {
  const { message, hint } = await describe(problem, place);
  return new Fault({ code: "E_USAGE", message, hint });
}

/** The command line around a word that is no subcommand. */
export interface AroundWord {
  /** `-S vim` may be somebody's habit from another tool. */
  readonly problems: readonly Problem[];
  /** What stands before the word. */
  readonly before: readonly string[];
}

/** The fault for a word that is no subcommand. */
export async function unknownCommand(
  word: string,
  place: Place,
  { problems, before }: AroundWord,
): Promise<Fault> {
  for (const problem of problems) {
    if (problem.kind !== "unknown-flag") continue;
    const { flag } = problem;
    // `--root /mnt tree`: the word is the value of a flag that stands too early.
    const isEarly = before.includes(flag) && (await subCommandsWith(flag, place.spec)).length > 0;
    if (isEarly || (await meantBy(flag, place.spec)) !== undefined) {
      return await usageFault(problem, place);
    }
  }
  const guess = suggest(word, await commandCandidates(place.spec));
  return new Fault({
    code: "E_USAGE",
    message: `Unknown command "${word}" for "${place.path}"`,
    hint:
      guess === undefined
        ? `"${place.path} --help" lists the commands`
        : `did you mean "${place.path} ${guess}"?`,
  });
}

async function describe(
  problem: Problem,
  place: Place,
): Promise<{ message: string; hint: string | undefined }> {
  switch (problem.kind) {
    case "unknown-flag":
      return {
        message: `Unknown flag "${problem.flag}" for "${place.path}"`,
        hint: await unknownFlagHint(problem.flag, place),
      };
    case "missing-value":
      return {
        message: `Flag "${problem.flag}" needs a value`,
        hint:
          problem.next === undefined
            ? undefined
            : `if the value is "${problem.next}", write "${problem.flag}=${problem.next}"`,
      };
    case "unexpected-value":
      return {
        message: `Flag "${problem.flag}" takes no value, got "${problem.value}"`,
        hint: `"${problem.flag}" is a switch: leave "=${problem.value}" out`,
      };
    case "not-a-number":
      return {
        message: `Flag "${problem.flag}" needs ${problem.range}, got "${problem.value}"`,
        hint: undefined,
      };
    case "not-an-option": {
      const guess = suggest(problem.value, problem.options.map(asCandidate));
      return {
        message: `Flag "${problem.flag}" cannot be "${problem.value}"`,
        hint:
          guess === undefined
            ? `it can be ${problem.options.join(", ")}`
            : `did you mean "${problem.flag}=${guess}"?`,
      };
    }
    case "not-a-choice": {
      const guess = suggest(problem.value, problem.options.map(asCandidate));
      return {
        message: `${problem.name} cannot be "${problem.value}"`,
        hint:
          guess === undefined
            ? `it can be ${problem.options.join(", ")}`
            : `did you mean "${place.path} ${guess}"?`,
      };
    }
    case "missing-flag":
      return { message: `Missing flag "${problem.flag}"`, hint: usageHint(place) };
    case "missing-positional":
      return { message: `Missing argument ${problem.name}`, hint: usageHint(place) };
    case "surplus-positional":
      return { message: `Unexpected argument "${problem.value}"`, hint: usageHint(place) };
  }
}

async function unknownFlagHint(flag: string, place: Place): Promise<string> {
  const [owner, ...others] = await subCommandsWith(flag, place.spec);
  if (owner !== undefined) {
    return others.length === 0
      ? `the flag belongs to "${place.path} ${owner}": put it after "${owner}"`
      : `it goes after the command: "${place.path} COMMAND ${flag}"`;
  }
  const meant = await meantBy(flag, place.spec);
  if (meant !== undefined) return `did you mean "${place.path} ${meant}"?`;
  const guess = flag.startsWith("--") ? suggest(flag, flagCandidates(place.spec)) : undefined;
  return guess === undefined
    ? `"${place.path} --help" lists the flags; a name that begins with "-" goes after "--"`
    : `did you mean "${guess}"?`;
}

/** The subcommands that know a flag which was given before them. */
async function subCommandsWith(flag: string, spec: CommandSpec): Promise<readonly string[]> {
  const names: string[] = [];
  for (const [name, load] of Object.entries(spec.subCommands ?? {})) {
    const child = await load();
    const isShown = child.meta.hidden !== true;
    if (isShown && spellingsOf(child.args ?? {}).includes(flag)) names.push(name);
  }
  return names;
}

/** The subcommand that has the flag among its synonyms. */
async function meantBy(flag: string, spec: CommandSpec): Promise<string | undefined> {
  const candidates = await commandCandidates(spec);
  return candidates.find(({ synonyms }) => synonyms?.includes(flag))?.word;
}

function flagCandidates(spec: CommandSpec): readonly Candidate[] {
  return [...spellingsOf(spec.args ?? {}), ...spellingsOf(GLOBAL_ARGS)].map(asCandidate);
}

function asCandidate(word: string): Candidate {
  return { word };
}

function spellingsOf(args: ArgsSpec): string[] {
  return Object.entries(args)
    .filter(([, spec]) => spec.type !== "positional" && spec.hidden !== true)
    .flatMap(([name, spec]) => spellingsOfFlag(name, spec));
}

function spellingsOfFlag(name: string, spec: ArgSpec): string[] {
  const isNegative = spec.type === "boolean" && spec.default === true;
  const own = isNegative ? [`--no-${name}`] : [`--${name}`];
  return [
    ...own,
    ...aliasesOf(spec).map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`)),
  ];
}

async function commandCandidates(spec: CommandSpec): Promise<readonly Candidate[]> {
  const candidates: Candidate[] = [];
  for (const [word, load] of Object.entries(spec.subCommands ?? {})) {
    const { meta } = await load();
    if (meta.hidden !== true) {
      candidates.push({ word, synonyms: meta.synonyms ?? [] });
    }
  }
  return candidates;
}

function usageHint(place: Place): string {
  const positionals = Object.entries(place.spec.args ?? {})
    .filter(([, spec]) => spec.type === "positional" && spec.hidden !== true)
    .map(([name, spec]) => {
      const repeats = spec.type === "positional" && spec.repeatable === true ? "…" : "";
      const label = `${positionalLabel(name, spec)}${repeats}`;
      return isRequired(spec) ? label : `[${label}]`;
    });
  return `usage: ${[place.path, "[OPTIONS]", ...positionals].join(" ")}`;
}
