import { readFileSync } from "node:fs";

/**
 * The ids of a user of /etc/passwd (passwd(5)), or of a text like "1000:1000".
 *
 * @param passwd text of the file; read where it is not given
 */
export function findUser(
  name: string,
  passwd: string | undefined = undefined,
): { uid: number; gid: number } | undefined {
  const ids = /^(\d+):(\d+)$/.exec(name);
  if (ids !== null) return idsOf(ids[1], ids[2]);
  for (const line of (passwd ?? readFileSync("/etc/passwd", "utf8")).split("\n")) {
    const fields = line.split(":");
    if (fields[0] === name) return idsOf(fields[2], fields[3]);
  }
  return undefined;
}

/** -1 as an id means "leave it as it is" to the kernel: no user has it. */
const ID_MAX = 0xffff_fffe;

function idsOf(uid: string | undefined, gid: string | undefined) {
  const pair = { uid: Number(uid || Number.NaN), gid: Number(gid || Number.NaN) };
  const isGood = (id: number): boolean => Number.isInteger(id) && id >= 0 && id <= ID_MAX;
  return isGood(pair.uid) && isGood(pair.gid) ? pair : undefined;
}
