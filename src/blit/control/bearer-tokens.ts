import { createHash } from "node:crypto";
import { Fault } from "../../kit/fault/fault.ts";

/** Tokens that a daemon takes: SHA-256 (lower-case hexadecimal) to the name of its owner. */
export type TokenTable = ReadonlyMap<string, string>;

const TOKENS_MAX = 10_000;
const TOKEN_LENGTH_MAX = 4096;

/** The line of the daemon's token file for a token; the file never holds the token itself. */
export function tokenLine(name: string, token: string): string {
  return `${name}:${hashOf(token)}`;
}

/**
 * The text of a token file: `name:sha256` on each line; `#` begins a comment.
 *
 * @throws Fault E_CONFIG with the line that is not understood
 */
export function parseTokenTable(text: string, file: string): TokenTable {
  const table = new Map<string, string>();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const found = /^([A-Za-z0-9._@-]{1,64}):([0-9a-fA-F]{64})$/.exec(line);
    const [, name, hash] = found ?? [];
    if (name === undefined || hash === undefined) {
      throw new Fault({
        code: "E_CONFIG",
        message: `Cannot read "${file}": line ${index + 1} is not name:sha256`,
        hint: "the hash of a token is the output of: printf %s TOKEN | sha256sum",
      });
    }
    table.set(hash.toLowerCase(), name);
    if (table.size > TOKENS_MAX) {
      throw new Fault({
        code: "E_CONFIG",
        message: `Cannot read "${file}": it holds more than ${TOKENS_MAX} tokens`,
      });
    }
  }
  return table;
}

/**
 * Who has sent an `authorization` header; undefined: nobody that is known. What is compared are
 * hashes, so the time that it takes tells nothing about a token.
 */
export function tokenOwner(table: TokenTable, header: string | null): string | undefined {
  if (header === null || header.length > TOKEN_LENGTH_MAX) return undefined;
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec(header)?.[1];
  return token === undefined ? undefined : table.get(hashOf(token));
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
