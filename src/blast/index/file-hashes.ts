import type { Hashes } from "../resolve/port.ts";

/** What an index said a hash is, and what it is. */
export interface Mismatch {
  readonly name: string;
  readonly expected: string;
  readonly got: string;
}

const KNOWN = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] as const;
type Known = (typeof KNOWN)[number];

/** The hashes of a file that passes by: those that are to be checked, and SHA-256 always. */
export class FileHashes {
  readonly #expected: Hashes;
  readonly #hashers = new Map<Known, Bun.CryptoHasher>();
  readonly #digests = new Map<Known, string>();

  constructor(expected: Hashes) {
    this.#expected = expected;
    // One good hash is enough; the weak ones count where there is nothing better.
    const strong = KNOWN.filter((name) => expected[name] !== undefined).at(-1);
    for (const name of new Set<Known>(["sha256", strong ?? "sha256"])) {
      this.#hashers.set(name, new Bun.CryptoHasher(name));
    }
  }

  update(bytes: Uint8Array): void {
    for (const hasher of this.#hashers.values()) hasher.update(bytes);
  }

  /** To be asked in the end. */
  mismatch(): Mismatch | undefined {
    for (const name of this.#hashers.keys()) {
      const expected = this.#expected[name];
      const got = this.#digest(name);
      if (expected !== undefined && expected !== got) return { name, expected, got };
    }
    return undefined;
  }

  sha256(): string {
    return this.#digest("sha256");
  }

  #digest(name: Known): string {
    const digest = this.#digests.get(name) ?? this.#hashers.get(name)?.digest("hex") ?? "";
    this.#digests.set(name, digest);
    return digest;
  }
}

/** The hash of bytes at hand that does not fit, or undefined. */
export function mismatchOf(bytes: Uint8Array, expected: Hashes): Mismatch | undefined {
  const hashes = new FileHashes(expected);
  hashes.update(bytes);
  return hashes.mismatch();
}
