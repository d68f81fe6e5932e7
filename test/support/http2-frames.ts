/** Bytes of HTTP/2 for tests in which one side says what no library would. */

/** The first bytes of a client (RFC 9113, 3.4). */
export const HTTP2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** One frame (RFC 9113, 4.1). */
export function http2Frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Header fields as literals without an index (RFC 7541, 6.2.2), each shorter than 127 bytes. */
export function http2Fields(headers: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string) => {
    const bytes = Buffer.from(value, "latin1");
    return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
  };
  return Buffer.concat(
    headers.flatMap(([name, value]) => [Uint8Array.of(0), text(name), text(value)]),
  );
}

/** Head of a gRPC message, and its content. */
export function grpcEnvelope(
  flags: number,
  length: number,
  content: Uint8Array = new Uint8Array(),
): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, content]);
}
