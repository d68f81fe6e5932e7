/** Tags of RFC 4880 and 9580: a signature packet, and the subpackets that name its key. */
const SIGNATURE = 2;
const ISSUER = 16;
const ISSUER_FINGERPRINT = 33;

/**
 * Who made a detached OpenPGP signature: the fingerprint of the key, or its id; undefined where it
 * does not say, or is no signature of version 4. Pure.
 */
export function signingKeyOf(signature: Uint8Array): string | undefined {
  const body = packetBody(signature);
  if (body === undefined || body[0] !== 4) return undefined;
  const hashedLength = number16(body, 4);
  const hashed = body.subarray(6, 6 + hashedLength);
  const unhashedAt = 6 + hashedLength;
  const unhashed = body.subarray(unhashedAt + 2, unhashedAt + 2 + number16(body, unhashedAt));
  const found = new Map([...subpackets(unhashed), ...subpackets(hashed)]);
  const key = found.get(ISSUER_FINGERPRINT)?.subarray(1) ?? found.get(ISSUER);
  return key === undefined ? undefined : Buffer.from(key).toString("hex").toUpperCase();
}

function packetBody(bytes: Uint8Array): Uint8Array | undefined {
  const head = bytes[0] ?? 0;
  const isNew = (head & 0x40) !== 0;
  const tag = isNew ? head & 0x3f : (head >> 2) & 0xf;
  if ((head & 0x80) === 0 || tag !== SIGNATURE) return undefined;
  if (isNew) {
    const { length, size } = lengthAt(bytes, 1);
    return bytes.subarray(1 + size, 1 + size + length);
  }
  const size = [1, 2, 4][head & 3];
  if (size === undefined) return bytes.subarray(1);
  let length = 0;
  for (let index = 0; index < size; index++) length = length * 256 + (bytes[1 + index] ?? 0);
  return bytes.subarray(1 + size, 1 + size + length);
}

function* subpackets(bytes: Uint8Array): Generator<[number, Uint8Array]> {
  for (let at = 0; at < bytes.length; ) {
    const { length, size } = lengthAt(bytes, at);
    if (length === 0) return;
    yield [(bytes[at + size] ?? 0) & 0x7f, bytes.subarray(at + size + 1, at + size + length)];
    at += size + length;
  }
}

/** A length of the new format: one, two or five bytes. */
function lengthAt(bytes: Uint8Array, at: number): { length: number; size: number } {
  const first = bytes[at] ?? 0;
  if (first < 192) return { length: first, size: 1 };
  if (first < 255) return { length: (first - 192) * 256 + (bytes[at + 1] ?? 0) + 192, size: 2 };
  return { length: number16(bytes, at + 1) * 65_536 + number16(bytes, at + 3), size: 5 };
}

function number16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}
