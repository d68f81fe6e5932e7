import { errno } from "../../../ffi/errno.ts";
import { type ReceivedXattrs, xattrBytes } from "../engine/thread.ts";
import { XATTR_BLOB_BYTES_MAX } from "../wire/frame.ts";
import { broken } from "./check.ts";

/** Extended attributes as they come over the wire: u16 name length, u32 value length, both. */

/** XATTR_NAME_MAX of linux/limits.h. */
const nameBytesMax = 255;
const headBytes = 6;

/** An entry without any. */
export const noXattrs: ReceivedXattrs = { names: [], load: () => -errno.ENODATA };

/** A file whose attributes have not been asked for, or that the source could not look at. */
export const unknownXattrs: ReceivedXattrs = { ...noXattrs, isUnknown: true };

/** Reads a blob, which stays in the caller's memory. @throws Fault E_INTEGRITY */
export function readXattrBlob(blob: Uint8Array): ReceivedXattrs {
  if (blob.length === 0) return noXattrs;
  if (blob.length > XATTR_BLOB_BYTES_MAX) broken("too many attributes for one entry");
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const values = new Map<string, Uint8Array>();
  let at = 0;
  while (at < blob.length) {
    if (blob.length - at < headBytes) broken("a list of attributes that is cut off");
    const nameLength = view.getUint16(at, true);
    const valueLength = view.getUint32(at + 2, true);
    at += headBytes;
    const isFitting = nameLength + valueLength <= blob.length - at;
    if (!isFitting || valueLength > xattrBytes) broken("an attribute longer than there may be");
    const name = Buffer.from(blob.buffer, blob.byteOffset + at, nameLength).toString("latin1");
    const isNamed = nameLength > 0 && nameLength <= nameBytesMax && !name.includes("\0");
    if (!isNamed || values.has(name)) broken("an attribute without a name of its own");
    at += nameLength;
    values.set(name, blob.subarray(at, at + valueLength));
    at += valueLength;
  }
  return {
    names: [...values.keys()],
    load(name, bytes, offset) {
      const value = values.get(name);
      if (value === undefined) return -errno.ENODATA;
      bytes.set(value, offset);
      return value.length;
    },
  };
}
