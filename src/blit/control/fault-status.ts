import { Code, ConnectError } from "@connectrpc/connect";
import { type FaultCode, isFaultCode } from "../../kit/fault/codes.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { FailureSchema } from "./proto/blit_pb.js";

/**
 * Faults as gRPC statuses and back. The status has a code and the message for clients of any make;
 * our own also get the Failure message that comes as a detail, with the hint.
 */

/** Text of a peer is cut to so many characters before it is shown. */
const TEXT_LENGTH_MAX = 4096;

/** Of a status's message, and of its hint: HEADER_BYTES_MAX is for all of them, encoded. */
const STATUS_TEXT_BYTES_MAX = 1200;

const STATUS: Readonly<Record<FaultCode, Code>> = {
  E_USAGE: Code.InvalidArgument,
  E_CONFIG: Code.InvalidArgument,
  E_NOT_FOUND: Code.NotFound,
  E_REFUSED: Code.FailedPrecondition,
  E_CONFIRM: Code.FailedPrecondition,
  E_IO: Code.Internal,
  E_NO_SPACE: Code.ResourceExhausted,
  E_PARTIAL: Code.Internal,
  E_STALL: Code.DeadlineExceeded,
  E_UNSATISFIABLE: Code.FailedPrecondition,
  E_NETWORK: Code.Unavailable,
  E_AUTH: Code.Unauthenticated,
  E_INTEGRITY: Code.DataLoss,
  E_BUILD: Code.Internal,
  E_LOCKED: Code.Aborted,
  E_NEEDS_LINUX: Code.Unimplemented,
  E_PRIVILEGE: Code.PermissionDenied,
  E_NOT_BUILT: Code.Unimplemented,
  E_BUG: Code.Internal,
  E_INTERRUPTED: Code.Canceled,
  E_TERMINATED: Code.Unavailable,
};

/** What a handler has thrown, as the status that its caller gets. Bugs keep their details here. */
export function statusOf(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const fault =
    error instanceof Fault
      ? error
      : new Fault({ code: "E_BUG", message: "The daemon has met a bug of its own: see its log" });
  // All of it goes in headers, each of them more than once and encoded.
  const message = cutBytes(fault.message, STATUS_TEXT_BYTES_MAX);
  const hint = cutBytes(fault.hint ?? "", STATUS_TEXT_BYTES_MAX);
  const failure = { code: fault.code, message, hint };
  return new ConnectError(
    message,
    STATUS[fault.code],
    undefined,
    [{ desc: FailureSchema, value: failure }],
    error,
  );
}

/** Why a call came to nothing, in the words of the daemon where it has given any. */
export function faultOfStatus(error: unknown, endpoint: string): Fault {
  if (error instanceof Fault) return error;
  if (!(error instanceof ConnectError)) return faultOfThrown(error, endpoint);
  const failure = error.findDetails(FailureSchema)[0];
  if (failure !== undefined) return faultOfFailure(failure);
  const reason = cut(error.rawMessage);
  switch (error.code) {
    case Code.Canceled:
      return new Fault({
        code: "E_INTERRUPTED",
        message: `The call to "${endpoint}" was cancelled`,
      });
    case Code.DeadlineExceeded:
      return new Fault({
        code: "E_STALL",
        message: `"${endpoint}" did not answer in time`,
        hint: "is the daemon overloaded, or the way to it interrupted?",
      });
    case Code.Unauthenticated:
      return new Fault({
        code: "E_AUTH",
        message: `"${endpoint}" does not let you in: ${reason}`,
        hint: "ask its operator for a token or a certificate",
      });
    case Code.PermissionDenied:
      return new Fault({ code: "E_PRIVILEGE", message: `"${endpoint}" refuses: ${reason}` });
    case Code.NotFound:
      return new Fault({ code: "E_NOT_FOUND", message: reason });
    case Code.Unimplemented:
      return new Fault({
        code: "E_NETWORK",
        message: `"${endpoint}" does not know this call: ${reason}`,
        hint: "is blitd of this version running there?",
      });
    case Code.ResourceExhausted:
      return new Fault({ code: "E_REFUSED", message: `"${endpoint}" has no room: ${reason}` });
    case Code.DataLoss:
      return new Fault({ code: "E_INTEGRITY", message: reason });
    default:
      return new Fault({
        code: "E_NETWORK",
        message: `The connection to "${endpoint}" has failed: ${reason}`,
        cause: error,
      });
  }
}

/**
 * A failure that came as a message of its own. Its text is cut; that the other side was interrupted
 * does not mean that this one was, whose exit code would say so.
 */
export function faultOfFailure(failure: { code: string; message: string; hint: string }): Fault {
  const { code } = failure;
  const isOwn = isFaultCode(code) && code !== "E_INTERRUPTED" && code !== "E_TERMINATED";
  return new Fault({
    code: isOwn ? code : "E_NETWORK",
    message: cut(failure.message),
    hint: failure.hint === "" ? undefined : cut(failure.hint),
  });
}

/** A fault as the message that ends a transfer. */
export function failureOf(fault: Fault): { code: string; message: string; hint: string } {
  return { code: fault.code, message: cut(fault.message), hint: cut(fault.hint ?? "") };
}

function faultOfThrown(error: unknown, endpoint: string): Fault {
  const reason = error instanceof Error ? error.message : String(error);
  return new Fault({
    code: "E_NETWORK",
    message: `The connection to "${endpoint}" has failed: ${cut(reason)}`,
    cause: error,
  });
}

/** Cuts between two characters. */
function cutBytes(text: string, bytesMax: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  const kept = bytes
    .subarray(0, bytesMax)
    .toString()
    .replace(/\ufffd+$/, "");
  return `${kept}…`;
}

function cut(text: string): string {
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
}
