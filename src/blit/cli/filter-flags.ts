import { readFileSync } from "node:fs";
import type { ArgsSpec, CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { BlitConfig } from "../config.ts";
import { displayPath } from "../engine/path.ts";
import { compileFilter, type FilterJson } from "../tree/filter.ts";
import { type FilterRule, rulesOfFile } from "../tree/filter-rules.ts";
import { textOfName } from "../tree/name-text.ts";

type Context = Pick<CommandContext<ArgsSpec>, "argv" | "rawValues" | "printer">;

const filterFlags = ["exclude", "include", "filter-from"] as const;
type FilterFlag = (typeof filterFlags)[number];

/** The filter flags in the order in which they were typed: the last match decides. */
function orderOf(argv: readonly string[]): FilterFlag[] {
  const order: FilterFlag[] = [];
  for (const argument of argv) {
    if (argument === "--") break;
    const flag = filterFlags.find(
      (name) => argument === `--${name}` || argument.startsWith(`--${name}=`),
    );
    if (flag !== undefined) order.push(flag);
  }
  return order;
}

/**
 * The filter that config file and command line ask for, undefined for none. Rules that can never
 * match are warned of.
 * @throws {Fault} E_NOT_FOUND, E_IO where a --filter-from file cannot be read
 */
export function collectFilter(
  context: Context,
  config: BlitConfig,
  sources: readonly string[],
): FilterJson | undefined {
  const rules: FilterRule[] = config.transfer.exclude.map((pattern, index) => ({
    kind: "exclude",
    pattern,
    origin: config.originOf(["transfer", "exclude", index]),
  }));
  const values: Record<FilterFlag, string[]> = {
    exclude: [...context.rawValues("exclude")],
    include: [...context.rawValues("include")],
    "filter-from": [...context.rawValues("filter-from")],
  };
  for (const flag of orderOf(context.argv)) {
    const value = values[flag].shift();
    if (value === undefined) continue;
    if (flag === "filter-from") rules.push(...readRules(value));
    else rules.push({ kind: flag, pattern: textOfName(value), origin: `--${flag}` });
  }
  if (rules.length === 0) return undefined;
  const filter = compileFilter({ rules, sourceRoots: sources });
  for (const warning of filter?.warnings() ?? []) {
    const text = `${warning.origin}: pattern "${warning.pattern}" ${warning.message}`;
    context.printer.warn(text, warning.hint);
  }
  return filter?.serialise();
}

function readRules(path: string): FilterRule[] {
  const shown = displayPath(path);
  try {
    return rulesOfFile(readFileSync(Buffer.from(path, "latin1")), shown);
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Fault({
      code: isMissing ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot read the filter file "${shown}"`,
      hint: "it holds gitignore patterns, one per line",
      cause: error,
    });
  }
}
