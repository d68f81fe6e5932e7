/** Durations and sizes as people write them in service files. Pure. */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_UNITS = "KMGT";

/** "1.5s", "200ms", "2m", "1h30m" in milliseconds; undefined where it is no duration. */
export function parseDuration(text: string): number | undefined {
  const pattern = /(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*/y;
  let total = 0;
  let isEmpty = true;
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return undefined;
    total += Number(found[1]) * (DURATION_UNITS[found[2] ?? ""] ?? 0);
    isEmpty = false;
  }
  return isEmpty || !Number.isSafeInteger(Math.round(total)) ? undefined : Math.round(total);
}

/** "512M", "1.5G", "4096" in bytes, of 1024; undefined where it is no size. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text);
  if (found === null) return undefined;
  const [, number, unit = ""] = found;
  const power = unit === "" ? 0 : SIZE_UNITS.indexOf(unit.toUpperCase()) + 1;
  const bytes = Math.round(Number(number) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** "20%" or "1.5" processors in percent of one; undefined where it is neither. */
export function parseProcessors(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  if (found === null) return undefined;
  const percent = Number(found[1]) * (found[2] === "%" ? 1 : 100);
  return percent > 0 ? percent : undefined;
}
