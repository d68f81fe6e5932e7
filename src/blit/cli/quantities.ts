import { Fault } from "../../kit/fault/fault.ts";

/** Sizes and moments as people type them. */

const sizeUnits = "KMGTP";

/** Bytes of `500`, `20K`, `1.5MiB`. @throws {Fault} E_USAGE */
export function parseSize(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?:([KMGTP])(?:i?B)?|B)?$/i.exec(text);
  const power = sizeUnits.indexOf((match?.[2] ?? "").toUpperCase() || "-") + 1;
  const bytes = Math.round(Number(match?.[1]) * 1024 ** power);
  if (match !== null && Number.isSafeInteger(bytes)) return bytes;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot use "${text}" for ${flag}: it is no size`,
    hint: "write bytes, or 20K, 1.5M, 2G with 1024 to the K",
  });
}

const secondsPer: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
};

/**
 * Seconds since 1970 of a date (`2026-01-31`, `2026-01-31T12:00`, in local time unless it says a
 * zone) or an age before now (`90s`, `15m`, `12h`, `7d`, `2w`). @throws {Fault} E_USAGE
 */
export function parseMoment(flag: string, text: string, nowMs: number): number {
  const age = /^(\d+)([smhdw])$/.exec(text);
  if (age !== null) {
    return Math.floor(nowMs / 1000 - Number(age[1]) * (secondsPer[age[2] ?? ""] ?? 0));
  }
  const isDate = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  // A date alone would be taken as one in UTC.
  const milliseconds = isDate
    ? Date.parse(text.length === 10 ? `${text}T00:00` : text)
    : Number.NaN;
  if (!Number.isNaN(milliseconds)) return Math.floor(milliseconds / 1000);
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot use "${text}" for ${flag}: it is no moment`,
    hint: "write a date such as 2026-01-31, or an age such as 90s, 15m, 12h, 7d, 2w",
  });
}
