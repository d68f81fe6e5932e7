/** Names of cache files. */

/** Digits that stand for a text; no two texts share them. */
export function digestOf(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 32);
}

/** A project's name as the name of a file. */
export function fileNameOf(name: string): string {
  return name.length <= 100 ? name : `${name.slice(0, 60)}-${digestOf(name)}`;
}
