/** Figures for people: sizes in binary units, rates, durations, counts. Pure. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** `0 B`, `999 B`, `1.5 KiB`, `28 MiB`: at most three digits, a decimal only below ten. */
export function formatBytes(bytes: number): string {
  let value = Math.max(bytes, 0);
  let unit = 0;
  // 999.5 would round to 1000: three digits are the limit in every unit but the last.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const isSmall = unit > 0 && value < 9.95;
  return `${isSmall ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** `28 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `0.12 s`, `4.2 s`, `38 s`, `2 min 05 s`, `1 h 02 min`. */
export function formatSeconds(seconds: number): string {
  const value = Math.max(seconds, 0);
  if (value < 59.5) {
    const decimals = value < 0.995 ? 2 : value < 9.95 ? 1 : 0;
    return `${value.toFixed(decimals)} s`;
  }
  const whole = Math.round(value);
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  }
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** `1 file`, `1,234 files`; the plural is the singular with an s unless given. */
export function formatCount(count: number, singular: string, plural = `${singular}s`): string {
  return `${groupDigits(count)} ${count === 1 ? singular : plural}`;
}

/** `1,234,567`. */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}
