/**
 * Whether data is sent compressed: only where the link is what everything waits for, and only what
 * becomes smaller. Both is measured as the session goes.
 */

/** A try every so many bytes where compression was not worth it. */
const retryBytes = 64 * 1024 * 1024;

/** What compresses to more than this share of itself is sent as it is. */
const shareMax = 0.9;

/** Smaller pieces are not worth a frame of zstd. */
const packedBytesMin = 512;

const zstdMagic = 0xfd_2f_b5_28;

export class ZstdChoice {
  #skipBytes = 0;
  #linkBytesPerSecond = 0;

  /**
   * What the socket took: `bytes` on the wire in `blockedMs` of waiting for it and `busyMs` of all
   * else. A link that never makes anybody wait is not the bottleneck.
   */
  sent(bytes: number, blockedMs: number, busyMs: number): void {
    const isBottleneck = blockedMs > busyMs;
    const rate = isBottleneck ? (bytes / (blockedMs + busyMs)) * 1000 : Number.POSITIVE_INFINITY;
    const isFirst = this.#linkBytesPerSecond === 0;
    this.#linkBytesPerSecond = isFirst ? rate : Math.min(rate, this.#linkBytesPerSecond * 2);
  }

  /** So many bytes are to be sent: true where the last try says that they go as they are. */
  skips(bytes: number): boolean {
    if (!this.mayPay) return true;
    if (this.#skipBytes <= 0) return false;
    this.#skipBytes -= bytes;
    return true;
  }

  /** False where the link is known to keep up. */
  get mayPay(): boolean {
    return Number.isFinite(this.#linkBytesPerSecond);
  }

  /**
   * The bytes compressed, where that is faster in the end; undefined: send them as they are.
   * @param now milliseconds, of any clock
   */
  pack(bytes: Uint8Array, now: () => number = () => performance.now()): Uint8Array | undefined {
    if (bytes.length < packedBytesMin || !Number.isFinite(this.#linkBytesPerSecond))
      return undefined;
    if (this.#skipBytes > 0) {
      this.#skipBytes -= bytes.length;
      return undefined;
    }
    const started = now();
    const packed = Bun.zstdCompressSync(bytes, { level: 1 });
    const packMs = now() - started;
    const savedMs = ((bytes.length - packed.length) / this.#linkBytesPerSecond) * 1000;
    const isWorthIt = this.#linkBytesPerSecond === 0 || savedMs > packMs;
    if (packed.length <= bytes.length * shareMax && isWorthIt) return packed;
    this.#skipBytes = retryBytes;
    return packed.length < bytes.length && isWorthIt ? packed : undefined;
  }
}

/**
 * The content of a compressed piece, which says itself how long it is: exactly `length` bytes, or
 * undefined for anything else, before memory is taken for more (RFC 8878, 3.1.1).
 */
export function unpackZstd(packed: Uint8Array, length: number): Uint8Array | undefined {
  if (contentBytesOf(packed) !== length) return undefined;
  try {
    const content = Bun.zstdDecompressSync(packed);
    return content.length === length ? content : undefined;
  } catch {
    return undefined;
  }
}

/** Frame_Content_Size of the one frame that there is. */
function contentBytesOf(packed: Uint8Array): number | undefined {
  if (packed.length < 6) return undefined;
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  if (view.getUint32(0, true) !== zstdMagic) return undefined;
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  const sizeField = descriptor >>> 6;
  if (sizeField === 0 && !isSingleSegment) return undefined;
  const sizeBytes = 2 ** sizeField;
  if (packed.length < at + sizeBytes) return undefined;
  if (sizeBytes === 1) return view.getUint8(at);
  if (sizeBytes === 2) return view.getUint16(at, true) + 256;
  if (sizeBytes === 4) return view.getUint32(at, true);
  const size = view.getBigUint64(at, true);
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(size);
}
