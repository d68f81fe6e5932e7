import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { sys } from "../../../ffi/sys.ts";
import { type ControlReply, type ControlRequest, parseRequest } from "./control-messages.ts";

/** A request of this length is none. */
const REQUEST_BYTES_MAX = 256 * 1024;

interface Connection {
  received: string;
  pending: Uint8Array | undefined;
  isClosing: boolean;
}

/**
 * Listens for requests on a socket that only the owner of rinit can open. One request for each
 * connection, a line; the answer is a line too, and then the connection ends.
 *
 * @returns stops listening
 * @throws Error where the socket cannot be made
 */
export function listenForControl(
  path: string,
  answer: (request: ControlRequest) => Promise<ControlReply>,
): () => void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  // Between bind(2) and chmod(2) it must not be open for everybody.
  const former = sys.umask(0o177);
  try {
    const listener = Bun.listen<Connection>({
      unix: path,
      socket: {
        open: (socket) => {
          socket.data = { received: "", pending: undefined, isClosing: false };
        },
        data: (socket, bytes) => {
          const { data } = socket;
          if (data.isClosing) return;
          data.received += bytes.toString("utf8");
          const end = data.received.indexOf("\n");
          if (end < 0 && data.received.length < REQUEST_BYTES_MAX) return;
          data.isClosing = true;
          const request = end < 0 ? undefined : parseRequest(data.received.slice(0, end));
          void reply(request, answer).then((text) => send(socket, Buffer.from(`${text}\n`)));
        },
        drain: (socket) => {
          if (socket.data.pending !== undefined) send(socket, socket.data.pending);
        },
        error: () => undefined,
      },
    });
    chmodSync(path, 0o600);
    return () => {
      listener.stop(true);
      rmSync(path, { force: true });
    };
  } finally {
    sys.umask(former);
  }
}

async function reply(
  request: ControlRequest | undefined,
  answer: (request: ControlRequest) => Promise<ControlReply>,
): Promise<string> {
  const refuse = (code: "E_USAGE" | "E_REFUSED", message: string): string =>
    JSON.stringify({ ok: false, code, message } satisfies ControlReply);
  if (request === undefined) return refuse("E_USAGE", "this is no request that rinit knows");
  try {
    return JSON.stringify(await answer(request));
  } catch (error) {
    return refuse("E_REFUSED", error instanceof Error ? error.message : String(error));
  }
}

function send(socket: Bun.Socket<Connection>, bytes: Uint8Array): void {
  const written = Math.max(0, socket.write(bytes));
  if (written >= bytes.length) {
    socket.data.pending = undefined;
    socket.end();
    return;
  }
  socket.data.pending = bytes.subarray(written);
}
