import { existsSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import type { ControlReply, ControlRequest } from "./control-messages.ts";

/** An answer that says yes. */
export type GoodReply = Extract<ControlReply, { ok: true }>;

/**
 * Asks rinit.
 *
 * @throws {Fault} E_NOT_FOUND where no rinit runs, or it knows no such service; E_PRIVILEGE,
 * E_REFUSED
 */
export async function askRinit(socket: string, request: ControlRequest): Promise<GoodReply> {
  const line = await exchange(socket, `${JSON.stringify(request)}\n`);
  let reply: ControlReply;
  try {
    reply = JSON.parse(line) as ControlReply;
  } catch {
    throw new Fault({
      code: "E_IO",
      message: `Cannot ask rinit at "${socket}": it ended the conversation`,
      hint: "it may be shutting down",
    });
  }
  if (reply.ok) return reply;
  const hint = reply.code === "E_NOT_FOUND" ? "see rastos service list" : undefined;
  const message = `Cannot ${request.verb}: ${reply.message}`;
  throw new Fault({ code: reply.code, message, hint, details: { names: reply.names ?? [] } });
}

function exchange(path: string, request: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let connectionError: unknown;
  Bun.connect({
    unix: path,
    socket: {
      open: (socket) => {
        socket.write(request);
      },
      data: (_socket, bytes) => {
        chunks.push(Buffer.from(bytes));
      },
      close: () => resolve(Buffer.concat(chunks).toString("utf8")),
      error: (_socket, error) => {
        connectionError = error;
      },
      connectError: (_socket, error) => {
        connectionError = error;
      },
    },
  }).catch((error: unknown) => reject(unreachable(path, connectionError ?? error)));
  return promise;
}

function unreachable(path: string, error: unknown): Fault {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") {
    return new Fault({
      code: "E_PRIVILEGE",
      message: `Cannot talk to rinit at "${path}": permission denied`,
      hint: "run it as root, or as the user that rinit runs as",
    });
  }
  const other = existsSync("/run/systemd/system")
    ? "this system is run by systemd: use systemctl, or name another rinit with --socket"
    : 'start one with "rastos init --supervise", or name its socket with --socket';
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot talk to rinit: none is running at "${path}"`,
    hint: other,
  });
}
