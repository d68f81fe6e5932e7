import { errno, errnoName, errnoText } from "../../../ffi/errno.ts";
import { Fault } from "../../kit/fault/fault.ts";

/** The system refused something in the environment: E_NO_SPACE, E_PRIVILEGE or E_IO. */
export function systemFault(doing: string, path: string, result: number): Fault {
  const number = Math.abs(result);
  const isFull = number === errno.ENOSPC || number === errno.EDQUOT;
  const isDenied = number === errno.EACCES || number === errno.EPERM || number === errno.EROFS;
  const hint = isFull
    ? "make room and try again; nothing was changed"
    : isDenied
      ? "use an environment that you may change; this one was left as it is"
      : undefined;
  return new Fault({
    code: isFull ? "E_NO_SPACE" : isDenied ? "E_PRIVILEGE" : "E_IO",
    message: `Cannot ${doing} "${path}": ${errnoText(number)}`,
    hint,
    details: { path, errno: errnoName(number) },
  });
}

/**
 * Passes the result of a call through.
 *
 * @throws {Fault} what {@link systemFault} makes of a negative one
 */
export function must(result: number, doing: string, path: string): number {
  if (result < 0) throw systemFault(doing, path, result);
  return result;
}
