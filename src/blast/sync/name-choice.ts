/** pip's way to name the packages that something holds for: names, `:all:`, `:none:`. */
import { Fault } from "../../kit/fault/fault.ts";
import { PepError } from "../pep/error.ts";
import { type PackageName, parsePackageName } from "../pep/name.ts";
import type { NameChoice } from "../resolve/port.ts";

/**
 * Reads the values of `--no-binary` and `--only-binary`, in order: `:all:` and `:none:` replace
 * what came before, names add to it. A value may hold several names between commas.
 *
 * @throws {Fault} E_USAGE for what is no name
 */
export function nameChoice(values: readonly string[], flag: string): NameChoice {
  let all = false;
  let names = new Set<PackageName>();
  for (const word of values.flatMap((value) => value.split(","))) {
    const text = word.trim();
    if (text === "") continue;
    if (text === ":all:" || text === ":none:") {
      all = text === ":all:";
      names = new Set();
      continue;
    }
    names.add(nameOf(text, flag));
  }
  return all ? "all" : names;
}

/** True if the choice holds for the name. */
export function isChosen(choice: NameChoice, name: PackageName): boolean {
  return choice === "all" || choice.has(name);
}

function nameOf(text: string, flag: string): PackageName {
  try {
    return parsePackageName(text);
  } catch (error) {
    if (!(error instanceof PepError)) throw error;
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot use ${flag} "${text}": it is no package name`,
      hint: "a name, :all: or :none:",
    });
  }
}
