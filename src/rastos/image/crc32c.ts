/** The polynomial of Castagnoli, bits reversed. */
const POLYNOMIAL = 0x82f63b78;

type Tables = readonly [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

const TABLES = makeTables();

/**
 * CRC-32C as the kernel's `crc32c(seed, bytes)` counts it: without the inversions before and after.
 * Eight bytes a step, by eight tables.
 *
 * @returns an unsigned number of 32 bits
 */
export function crc32cRaw(seed: number, bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES;
  const { byteOffset, buffer, length } = bytes;
  const view = new DataView(buffer, byteOffset, length);
  let crc = seed | 0;
  let at = 0;
  for (; at + 8 <= length; at += 8) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      entry(t7, low) ^
      entry(t6, low >>> 8) ^
      entry(t5, low >>> 16) ^
      entry(t4, low >>> 24) ^
      entry(t3, high) ^
      entry(t2, high >>> 8) ^
      entry(t1, high >>> 16) ^
      entry(t0, high >>> 24);
  }
  for (; at < length; at++) crc = entry(t0, crc ^ (bytes[at] ?? 0)) ^ (crc >>> 8);
  return crc >>> 0;
}

/** CRC-32C of some bytes, as btrfs keeps it for blocks and sectors. */
export function crc32c(bytes: Uint8Array): number {
  return ~crc32cRaw(-1, bytes) >>> 0;
}

function entry(table: Int32Array, index: number): number {
  return table[index & 0xff] as number;
}

/** Table k holds what a byte comes to when k zero bytes follow it. */
function makeTables(): Tables {
  const make = (): Int32Array => new Int32Array(256);
  const tables: Tables = [make(), make(), make(), make(), make(), make(), make(), make()];
  const [first, ...further] = tables;
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    first[byte] = crc;
  }
  for (let byte = 0; byte < 256; byte++) {
    let crc = entry(first, byte);
    for (const table of further) {
      crc = entry(first, crc) ^ (crc >>> 8);
      table[byte] = crc;
    }
  }
  return tables;
}
