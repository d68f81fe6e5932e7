import type { ByteSource, RemoteByteSource } from "../../src/blast/wheel/zip.ts";

/** An archive in memory. */
export function sourceOf(bytes: Uint8Array, label = "a.whl"): ByteSource {
  return {
    label,
    sizeBytes: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

/** An archive in memory as if it were elsewhere; notes the ranges that are asked for. */
export function remoteOf(bytes: Uint8Array): RemoteByteSource & { readonly ranges: string[] } {
  const ranges: string[] = [];
  return {
    label: "a.whl",
    sizeBytes: bytes.length,
    ranges,
    read(offset, length) {
      ranges.push(`${offset}+${length}`);
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new Error(`asked for ${offset}+${length} of ${bytes.length}`);
      }
      return Promise.resolve(bytes.subarray(offset, offset + length));
    },
  };
}
