import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";

const keyBytes = 32;

/**
 * Reads the key: 64 hexadecimal digits, or 32 bytes.
 * @throws {Fault} E_NOT_FOUND, E_REFUSED where others can read it, E_CONFIG for something else
 */
export function readKey(path: string): Uint8Array {
  let bytes: Buffer;
  try {
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot use the key "${path}": others than its owner can read it`,
        hint: `chmod 600 ${path}`,
      });
    }
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot read the key "${path}": ${reasonOf(error)}`,
      hint: "rastos backup init makes one; a backup is read with the key that it was made with",
    });
  }
  const text = bytes.toString("latin1").trim();
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex");
  if (bytes.length === keyBytes) return bytes;
  throw new Fault({
    code: "E_CONFIG",
    message: `Cannot use the key "${path}": it must hold 64 hexadecimal digits`,
  });
}

/** Makes a new key, for its owner alone. One that is there stays. Returns whether it is new. */
export function makeKey(path: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const fd = openSync(path, "wx", 0o600);
    try {
      writeSync(fd, `${randomBytes(keyBytes).toString("hex")}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new Fault({ code: "E_IO", message: `Cannot write "${path}": ${reasonOf(error)}` });
  }
}
