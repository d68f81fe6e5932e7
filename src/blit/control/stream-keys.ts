import { hkdfSync } from "node:crypto";
import type { StreamKeys } from "../session/types.ts";

/**
 * Keys of the data streams of an encrypted control connection. They come out of its handshake
 * (RFC 8446, 7.5), so only its two ends have them: whoever takes over a data connection can neither
 * read nor write it, whatever token he has seen.
 */

/** Label of the exporter; its context is the session's id. */
const EXPORTER_LABEL = "EXPORTER-blit-data";

/** Bytes of a session's secret. */
const SECRET_BYTES = 32;
const KEY_BYTES = 32;
const IV_BYTES = 12;

/** Anything that exports keying material: a CallContext or a ControlClient. */
type Exporter = {
  exporter(label: string, context: Uint8Array, bytes?: number): Buffer | undefined;
};

/** The secret of one session, the same on both ends. undefined: the control plane is plain. */
export function sessionSecret(end: Exporter, session: Uint8Array): Uint8Array | undefined {
  return end.exporter(EXPORTER_LABEL, session, SECRET_BYTES);
}

/**
 * The keys of one stream as one end uses them (HKDF-SHA256, RFC 5869): each stream and direction
 * has its own, so no counter can meet twice.
 */
export function deriveStreamKeys(options: {
  readonly secret: Uint8Array;
  readonly stream: number;
  /** "client" has dialled the control connection. */
  readonly end: "client" | "daemon";
}): StreamKeys {
  const { secret, stream } = options;
  const [sends, receives] =
    options.end === "client"
      ? (["client to daemon", "daemon to client"] as const)
      : (["daemon to client", "client to daemon"] as const);
  return {
    sendKey: expand(secret, `blit data 1, stream ${stream}, ${sends}, key`, KEY_BYTES),
    sendIv: expand(secret, `blit data 1, stream ${stream}, ${sends}, iv`, IV_BYTES),
    receiveKey: expand(secret, `blit data 1, stream ${stream}, ${receives}, key`, KEY_BYTES),
    receiveIv: expand(secret, `blit data 1, stream ${stream}, ${receives}, iv`, IV_BYTES),
  };
}

function expand(secret: Uint8Array, info: string, bytes: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, new Uint8Array(0), info, bytes));
}
