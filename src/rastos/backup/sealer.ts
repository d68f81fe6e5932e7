import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { Fault } from "../../kit/fault/fault.ts";

/**
 * The content of an object: "RASTBK", a byte for the format and one for how the rest is kept (1 =
 * compressed by zstd, 2 = encrypted), then the bytes. Encrypted is what AES-256-GCM (NIST SP
 * 800-38D) makes of it with a random nonce, which comes first, and a tag at the end; the object's
 * name and the head are authenticated, so no object can stand in for another. Each has a key of its
 * own, by HKDF from a random salt, so nonces never meet.
 */

const MAGIC = Buffer.from("RASTBK\x01", "latin1");
const flag = { zstd: 1, encrypted: 2 } as const;
const headBytes = MAGIC.length + 1;
const saltBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** Most that an object may hold: what is read from elsewhere is not trusted to be small. */
const contentBytesMax = 512 * 1024 * 1024;

/** Closes and opens objects. */
export interface Sealer {
  /** The name of a piece with this content, hexadecimal. Without the key it tells nothing. */
  nameOf(content: Uint8Array): string;
  seal(name: string, content: Uint8Array): Uint8Array;
  /** @throws {Fault} E_INTEGRITY for what is damaged or forged, E_AUTH for another key */
  open(name: string, sealed: Uint8Array): Uint8Array;
}

/**
 * @param key 32 bytes; undefined: objects are not encrypted
 * @param level of zstd; undefined: objects are not compressed
 */
export function createSealer(key: Uint8Array | undefined, level: number | undefined): Sealer {
  const nameKey = key && new Uint8Array(hkdfSync("sha256", key, "", "rastos backup names", 32));
  return {
    nameOf: (content) =>
      nameKey === undefined
        ? new Bun.CryptoHasher("sha256").update(content).digest("hex")
        : createHmac("sha256", nameKey).update(content).digest("hex"),
    seal: (name, content) => {
      const packed = level === undefined ? undefined : compress(content, level);
      const isPacked = packed !== undefined && packed.length < content.length;
      const body = isPacked ? packed : content;
      const flags = (isPacked ? flag.zstd : 0) | (key === undefined ? 0 : flag.encrypted);
      const head = Buffer.concat([MAGIC, Buffer.of(flags)]);
      return Buffer.concat([head, key === undefined ? body : encrypt(key, head, name, body)]);
    },
    open: (name, sealed) => {
      const head = Buffer.from(sealed.subarray(0, headBytes));
      const flags = head.at(-1) ?? 0;
      if (head.length < headBytes || !head.subarray(0, MAGIC.length).equals(MAGIC)) {
        throw damaged(name, "it is none of a backup");
      }
      const body = sealed.subarray(headBytes);
      const isEncrypted = (flags & flag.encrypted) !== 0;
      // Whoever can write there must not be able to hand in objects without the key.
      if (key !== undefined && !isEncrypted) throw damaged(name, "it is not encrypted");
      if (key === undefined && isEncrypted) throw needsKey(name);
      const plain = key === undefined ? body : decrypt(key, head, name, body);
      return (flags & flag.zstd) === 0 ? plain : decompress(name, plain);
    },
  };
}

function compress(content: Uint8Array, level: number): Uint8Array {
  return zstdCompressSync(content, { params: { [constants.ZSTD_c_compressionLevel]: level } });
}

function decompress(name: string, packed: Uint8Array): Uint8Array {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: contentBytesMax });
  } catch {
    throw damaged(name, "it cannot be unpacked");
  }
}

function objectKey(key: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, salt, "rastos backup object", 32));
}

function encrypt(key: Uint8Array, head: Uint8Array, name: string, content: Uint8Array): Buffer {
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", objectKey(key, salt), nonce);
  cipher.setAAD(Buffer.concat([head, Buffer.from(name)]));
  const body = Buffer.concat([cipher.update(content), cipher.final()]);
  return Buffer.concat([salt, nonce, body, cipher.getAuthTag()]);
}

function decrypt(key: Uint8Array, head: Uint8Array, name: string, sealed: Uint8Array): Uint8Array {
  if (sealed.length < saltBytes + nonceBytes + tagBytes) throw damaged(name, "it is cut off");
  const salt = sealed.subarray(0, saltBytes);
  const nonce = sealed.subarray(saltBytes, saltBytes + nonceBytes);
  const options = { authTagLength: tagBytes };
  const decipher = createDecipheriv("aes-256-gcm", objectKey(key, salt), nonce, options);
  decipher.setAAD(Buffer.concat([head, Buffer.from(name)]));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  const content = decipher.update(sealed.subarray(saltBytes + nonceBytes, -tagBytes));
  try {
    return Buffer.concat([content, decipher.final()]);
  } catch {
    throw damaged(name, "it was changed, or made with another key");
  }
}

function damaged(name: string, why: string): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot use the object "${name}" of the backups: ${why}`,
    hint: "rastos backup verify says which backups are whole",
  });
}

function needsKey(name: string): Fault {
  return new Fault({
    code: "E_AUTH",
    message: `Cannot read the object "${name}" of the backups: it is encrypted`,
    hint: "set [encryption] enabled = true and key_path in backup.toml",
  });
}
