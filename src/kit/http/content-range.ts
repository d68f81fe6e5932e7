/** Which bytes an answer holds (RFC 9110 section 14.4). */
export interface ContentRange {
  /** Offset of the first byte. */
  readonly start: number;
  /** Offset after the last byte. */
  readonly end: number;
  /** Of the whole; undefined where the server does not say. */
  readonly sizeBytes: number | undefined;
}

/** Reads `bytes 0-99/1234`; undefined for anything that makes no sense. */
export function parseContentRange(value: string | null): ContentRange | undefined {
  const match = /^bytes\s+(\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(value?.trim() ?? "");
  if (match === null) return undefined;
  const [start, last] = [Number(match[1]), Number(match[2])];
  const sizeBytes = match[3] === "*" ? undefined : Number(match[3]);
  if (last < start || (sizeBytes !== undefined && last >= sizeBytes)) return undefined;
  return { start, end: last + 1, sizeBytes };
}
