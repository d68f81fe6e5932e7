/**
 * A cheap "surely not" in front of the pattern matcher. Nearly every entry of a tree matches no
 * rule, and the last segment of a usual pattern (`node_modules/`, `*.log`, `docs/tmp*`) tells
 * that from the base name alone. It over-approximates: true means "ask the real matcher", and a
 * pattern that it does not understand turns it off. Text in, text out; no state.
 */
export type Prescreen = (baseName: string) => boolean;

/** Characters that mean nothing but themselves inside a gitignore pattern. */
const LITERAL = /^[^*?[\]\\]+$/;

/** The prescreen for the excluding patterns, or undefined when one of them is beyond it. */
export function createPrescreen(patterns: readonly string[]): Prescreen | undefined {
  const exact = new Set<string>();
  const byLastChar = new Map<number, string[]>();
  const byFirstChar = new Map<number, string[]>();
  for (const pattern of patterns) {
    const segment = lastSegment(pattern);
    if (LITERAL.test(segment)) {
      exact.add(segment);
    } else if (segment.startsWith("*") && LITERAL.test(segment.slice(1))) {
      push(byLastChar, segment.charCodeAt(segment.length - 1), segment.slice(1));
    } else if (segment.endsWith("*") && LITERAL.test(segment.slice(0, -1))) {
      push(byFirstChar, segment.charCodeAt(0), segment.slice(0, -1));
    } else {
      return undefined;
    }
  }
  return (baseName) => {
    if (exact.has(baseName)) return true;
    const suffixes = byLastChar.get(baseName.charCodeAt(baseName.length - 1));
    if (suffixes !== undefined) {
      for (const suffix of suffixes) if (baseName.endsWith(suffix)) return true;
    }
    const prefixes = byFirstChar.get(baseName.charCodeAt(0));
    if (prefixes !== undefined) {
      for (const prefix of prefixes) if (baseName.startsWith(prefix)) return true;
    }
    return false;
  };
}

function lastSegment(pattern: string): string {
  const body = pattern.endsWith("/") ? pattern.slice(0, -1) : pattern;
  return body.slice(body.lastIndexOf("/") + 1);
}

function push(map: Map<number, string[]>, key: number, value: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
