import { errno, errnoName, errnoText } from "../../../ffi/errno.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { sanitise } from "../../kit/fault/redact.ts";

/** A wheel that is not what it should be: nothing of it is used. */
export function integrityFault(
  label: string,
  problem: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot use "${sanitise(label)}": ${sanitise(problem)}`,
    hint: options.hint,
    cause: options.cause,
    details: { archive: sanitise(label) },
  });
}

/** The system refused something: E_NO_SPACE where space was the reason, else E_IO. */
export function systemFault(doing: string, path: string, result: number): Fault {
  const number = Math.abs(result);
  const isFull = number === errno.ENOSPC || number === errno.EDQUOT;
  return new Fault({
    code: isFull ? "E_NO_SPACE" : "E_IO",
    message: `Cannot ${doing} "${sanitise(path)}": ${errnoText(number)}`,
    hint: hintOf(number),
    details: { path: sanitise(path), errno: errnoName(number) },
  });
}

function hintOf(number: number): string | undefined {
  if (number === errno.ENOSPC || number === errno.EDQUOT) {
    return "make room, or free what is not used any more with: blast clean";
  }
  if (number === errno.EROFS || number === errno.EACCES || number === errno.EPERM) {
    return "choose a folder that can be written with [cache] cache_dir, or BLAST_CACHE_DIR";
  }
  return undefined;
}

/** As {@link systemFault}, for what node:fs has thrown. */
export function nodeFault(doing: string, path: string, error: unknown): unknown {
  const number = (error as NodeJS.ErrnoException).errno;
  return typeof number === "number" ? systemFault(doing, path, number) : error;
}
