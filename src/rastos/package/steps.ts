import type { TransactionRequest } from "./types.ts";

/**
 * What must be done one after the other. libalpm follows what nothing needs any more only in a
 * transaction that does nothing but remove; the pacman command has one operation for each kind.
 * Pure.
 */
export function stepsOf(
  request: TransactionRequest,
  how: "together" | "one-kind-each",
): readonly TransactionRequest[] {
  const { install = [], files = [], remove = [], upgrade = false, ...rest } = request;
  const removes = remove.length > 0;
  const adds = install.length > 0 || upgrade || files.length > 0;
  if (how === "together") {
    if (!removes || request.recursive !== true || !adds) return [request];
    return [
      { ...rest, install, files, upgrade, recursive: false },
      { ...rest, remove },
    ];
  }
  return [
    ...(install.length > 0 || upgrade ? [{ ...rest, install, upgrade }] : []),
    ...(files.length > 0 ? [{ ...rest, files }] : []),
    ...(removes ? [{ ...rest, remove }] : []),
  ];
}
