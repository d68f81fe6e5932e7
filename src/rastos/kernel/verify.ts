import { evaluate, obstacles, parseExpression } from "./expression.ts";
import type { KernelSymbols, SymbolDefinition } from "./kconfig.ts";
import type { Setting } from "./merge.ts";

/** A wanted setting that the kernel's own tools did not keep. */
export interface LostSetting {
  readonly symbol: string;
  readonly wanted: string;
  /** What it has become; `n` also where it is not there at all. */
  readonly got: string;
  readonly layer: string;
  readonly line: number;
  /** Why, in words: `not in this source`, `needs BLOCK`. */
  readonly reason: string;
}

/** Values by symbol. */
export type ConfigValues = ReadonlyMap<string, string>;

/**
 * Compares what was wanted with what `make olddefconfig` has left of it. What was wanted as a
 * module and came to be built in is there, and not lost.
 *
 * @param symbols of the source; only asked when something is lost
 */
export function verifySettings(
  wanted: readonly Setting[],
  final: ConfigValues,
  symbols: () => KernelSymbols,
): LostSetting[] {
  const lost: LostSetting[] = [];
  for (const { symbol, value, layer, line } of wanted) {
    const got = final.get(symbol) ?? "n";
    if (isKept(value, got)) continue;
    const reason = reasonFor({ symbol, value, got }, final, symbols());
    lost.push({ symbol, wanted: value, got, layer, line, reason });
  }
  return lost;
}

function isKept(wanted: string, got: string): boolean {
  if (wanted === got || (wanted === "m" && got === "y")) return true;
  // 0x10 and 16 are the same number to Kconfig.
  return wanted !== "" && got !== "" && Number(wanted) === Number(got);
}

interface Loss {
  readonly symbol: string;
  readonly value: string;
  readonly got: string;
}

function reasonFor(loss: Loss, final: ConfigValues, symbols: KernelSymbols): string {
  const definitions = symbols.definitions(loss.symbol);
  if (definitions.length === 0) return "not in this source";
  const selectors = activeSelectors(loss.symbol, final, symbols);
  if (loss.value === "n" && selectors.length > 0) return `selected by ${listed(selectors)}`;
  const asked = definitions.filter((definition) => definition.hasPrompt);
  if (asked.length === 0) return withoutPrompt(loss, symbols);
  const found = asked.map((definition) => obstaclesOf(definition, loss, final));
  // With several definitions one that holds is enough: the one with the least in its way counts.
  const least = found.sort((a, b) => a.length - b.length)[0] ?? [];
  if (least.length > 0) return [...new Set(least)].slice(0, REASONS_MAX).join(", ");
  const member = symbols.choiceMembers(loss.symbol).find((other) => final.get(other) === "y");
  if (member !== undefined) return `${member} is chosen instead`;
  const type = definitions.find((definition) => definition.type !== undefined)?.type;
  if (type === "bool" && loss.value === "m") return "can only be built in, not be a module";
  if (loss.value === "m" && final.get("MODULES") !== "y") return "needs MODULES";
  return `the kernel's own rules set it to ${loss.got} (see ${definitions[0]?.place})`;
}

const REASONS_MAX = 4;

function obstaclesOf(definition: SymbolDefinition, loss: Loss, final: ConfigValues): string[] {
  const least = loss.value === "m" || definition.type !== "tristate" ? 1 : 2;
  const lookup = (symbol: string): string | undefined => final.get(symbol);
  return definition.conditions.flatMap((condition) => {
    const expression = parseExpression(condition);
    return expression === undefined ? [] : obstacles(expression, lookup, least);
  });
}

function activeSelectors(symbol: string, final: ConfigValues, symbols: KernelSymbols): string[] {
  const lookup = (name: string): string | undefined => final.get(name);
  return symbols
    .selectors(symbol)
    .filter(({ by, condition }) => {
      if (final.get(by) !== "y" && final.get(by) !== "m") return false;
      const expression = condition === undefined ? undefined : parseExpression(condition);
      return expression === undefined || evaluate(expression, lookup) !== 0;
    })
    .map(({ by }) => by);
}

function withoutPrompt(loss: Loss, symbols: KernelSymbols): string {
  const by = symbols.selectors(loss.symbol).map((selector) => selector.by);
  return by.length === 0
    ? "cannot be set: the kernel computes it"
    : `cannot be set: it is selected by ${listed([...new Set(by)])}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
