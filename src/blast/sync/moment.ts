import { Fault } from "../../kit/fault/fault.ts";

const DAY_MS = 86_400_000;

/**
 * A day or an RFC 3339 time as milliseconds since 1970. A day includes all of itself, in UTC.
 *
 * @throws {Fault} E_USAGE for anything else
 */
export function parseMoment(text: string, flag: string): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const isTime = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})$/;
  const moment = isDay || isTime.test(text) ? Date.parse(text.replace(" ", "T")) : Number.NaN;
  if (Number.isNaN(moment)) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot use ${flag} "${text}": it is no date`,
      hint: "such as 2026-01-31 or 2026-01-31T12:00:00Z",
    });
  }
  return isDay ? moment + DAY_MS : moment;
}
