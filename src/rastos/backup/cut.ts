/** Cuts a stream into pieces of `chunkBytes`; the last one may be shorter. */
export async function* cut(
  source: AsyncIterable<Uint8Array>,
  chunkBytes: number,
): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  for await (const bytes of source) {
    let rest = bytes;
    while (length + rest.length >= chunkBytes) {
      const end = chunkBytes - length;
      yield Buffer.concat([...parts, rest.subarray(0, end)]);
      parts = [];
      length = 0;
      rest = rest.subarray(end);
    }
    // The source may use its memory again.
    if (rest.length > 0) parts.push(Buffer.from(rest));
    length += rest.length;
  }
  if (length > 0) yield Buffer.concat(parts);
}
