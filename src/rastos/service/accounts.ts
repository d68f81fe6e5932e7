import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Who a process runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

/** What a service says of its user. */
export interface AccountWish {
  readonly user?: string | undefined;
  readonly group?: string | undefined;
  readonly groups?: readonly string[] | undefined;
}

/** An account, or why there is none. */
export type AccountResult =
  | { readonly kind: "found"; readonly account: Account }
  | { readonly kind: "missing"; readonly reason: string };

/**
 * Looks an account up in passwd(5) and group(5) alone: whoever starts first cannot ask a network.
 *
 * @param folder where the two files are
 */
export function findAccount(wish: AccountWish, folder = "/etc"): AccountResult {
  const users = rows(join(folder, "passwd"));
  const groups = rows(join(folder, "group"));
  const wanted = wish.user ?? "0";
  const row = users.find(([name = "", , uid]) => name === wanted || uid === wanted);
  const uid = Number(row?.[2] ?? wanted);
  if (!isId(uid)) return missing(`no user "${wanted}"`);
  const name = row?.[0] ?? wanted;
  const gid = wish.group === undefined ? Number(row?.[3] ?? uid) : groupId(groups, wish.group);
  if (gid === undefined || !isId(gid)) return missing(`no group "${wish.group ?? row?.[3]}"`);
  const others: number[] = [];
  for (const other of wish.groups ?? membershipsOf(groups, name)) {
    const id = groupId(groups, other);
    if (id === undefined) return missing(`no group "${other}"`);
    others.push(id);
  }
  const account: Account = {
    uid,
    gid,
    groups: [...new Set([gid, ...others])],
    name,
    home: row?.[5] ?? "/",
    shell: row?.[6] ?? "/bin/sh",
  };
  return { kind: "found", account };
}

function missing(reason: string): AccountResult {
  return { kind: "missing", reason };
}

function isId(id: number): boolean {
  return Number.isInteger(id) && id >= 0 && id < 0xffffffff;
}

function groupId(groups: readonly string[][], wanted: string): number | undefined {
  const row = groups.find(([name, , gid]) => name === wanted || gid === wanted);
  const id = Number(row?.[2] ?? (/^\d+$/.test(wanted) ? wanted : "none"));
  return isId(id) ? id : undefined;
}

function membershipsOf(groups: readonly string[][], user: string): string[] {
  return groups
    .filter((row) => (row[3] ?? "").split(",").includes(user))
    .map((row) => row[2] ?? "");
}

function rows(path: string): string[][] {
  try {
    const lines = readFileSync(path, "utf8").split("\n");
    return lines.filter((line) => /^[^#:]+:/.test(line)).map((line) => line.split(":"));
  } catch {
    return [];
  }
}
