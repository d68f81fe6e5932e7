/** As much of DER (ITU-T X.690) as a certificate needs. */

/** One element: tag, length, content. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), lengthOf(content.length), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
export const setOf = (...parts: readonly Uint8Array[]): Buffer => der(0x31, ...parts);
export const octets = (bytes: Uint8Array): Buffer => der(0x04, bytes);
export const utf8Text = (text: string): Buffer => der(0x0c, Buffer.from(text));
export const isTrue = (): Buffer => der(0x01, Uint8Array.of(0xff));

/** All bits of the bytes count. */
export const bitString = (bytes: Uint8Array): Buffer => der(0x03, Uint8Array.of(0), bytes);

/** Context-specific: constructed ones hold elements, primitive ones bytes. */
export const tagged = (number: number, ...parts: readonly Uint8Array[]): Buffer =>
  der(0xa0 | number, ...parts);
export const taggedBytes = (number: number, bytes: Uint8Array): Buffer => der(0x80 | number, bytes);

/** A number that is not negative, from its bytes, highest first. */
export function integer(bytes: Uint8Array): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  const isNegative = ((digits[0] ?? 0) & 0x80) !== 0;
  return der(0x02, isNegative ? Uint8Array.of(0) : new Uint8Array(), digits);
}

/** @param dotted such as "2.5.4.3" */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return der(0x06, Uint8Array.from([40 * first + second, ...rest.flatMap(base128)]));
}

/** UTCTime to 2049, GeneralizedTime later, as RFC 5280 (4.1.2.5) asks. */
export function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+Z$/g, "");
  const isLate = date.getUTCFullYear() >= 2050;
  return der(isLate ? 0x18 : 0x17, Buffer.from(`${isLate ? digits : digits.slice(2)}Z`));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) digits.unshift((rest & 0x7f) | 0x80);
  return digits;
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) digits.unshift(rest & 0xff);
  return Uint8Array.of(0x80 | digits.length, ...digits);
}
