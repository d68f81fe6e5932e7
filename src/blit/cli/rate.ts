import { Fault } from "../../kit/fault/fault.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/**
 * Bytes per second of `500K`, `1.5M`, `2G`: binary units, as sizes are shown.
 * @throws {Fault} E_USAGE also for zero, which would never end
 */
export function parseRate(text: string): number {
  const found = /^([0-9]+(?:\.[0-9]+)?)([KMG]?)(?:i?B)?$/i.exec(text);
  const [, digits = "", unit = ""] = found ?? [];
  const rate = Math.floor(Number(digits) * (UNITS[unit.toUpperCase()] ?? 1));
  if (found !== null && rate >= 1 && Number.isSafeInteger(rate)) return rate;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot use "${text}" as a rate`,
    hint: "bytes per second, such as 500K, 20M or 1.5G",
  });
}
