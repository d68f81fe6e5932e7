/**
 * Why a call of node:fs failed, in the system's words: `no space left on device` from
 * `ENOSPC: no space left on device, write`. Of any other failure its message.
 */
export function reasonOf(error: unknown): string {
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  if (typeof message !== "string") {
    return String(error);
  }
  const found = code === undefined ? null : /^[A-Z0-9]+: ([^,]+)/.exec(message);
  return found?.[1] ?? message;
}
