import { gunzipSync } from "node:zlib";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import type { Ownership } from "./folder-tree.ts";

const DATABASE = "var/lib/pacman/local";

/** What the packages of a root say about its files. */
export interface PackageFacts {
  /** Seconds since 1970 at which the newest of them was built; undefined without packages. */
  readonly newestBuild: number | undefined;
  /** Owners and permissions by path (bytes as latin1), of files and folders. */
  readonly owners: ReadonlyMap<string, Ownership>;
}

/**
 * Reads pacman's database of a root: when its packages were built, and whose their files are. Who
 * is not root cannot give files away: the packages' own lists say to whom they belong.
 */
export function readPackageFacts(root: string): PackageFacts {
  using folder = RootFolder.open(root);
  const owners = new Map<string, Ownership>();
  let newestBuild: number | undefined;
  for (const name of folder.names(DATABASE)) {
    const description = folder.readText(`${DATABASE}/${name}/desc`);
    const built = Number(/^%BUILDDATE%\n(\d{1,12})$/m.exec(description ?? "")?.[1]);
    if (Number.isFinite(built)) newestBuild = Math.max(newestBuild ?? 0, built);
    const list = folder.read(`${DATABASE}/${name}/mtree`);
    if (list !== undefined) readMtree(gunzipSync(list).toString("latin1"), owners);
  }
  return { newestBuild, owners };
}

/** Adds what an mtree(5) says: a line a file, `/set` for those that follow. */
export function readMtree(text: string, owners: Map<string, Ownership>): void {
  let defaults = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [path = "", ...words] = line.trim().split(/\s+/);
    const values = new Map(words.map((word) => pairOf(word)));
    if (path === "/set") defaults = new Map([...defaults, ...values]);
    if (!path.startsWith("./")) continue;
    const value = (key: string): string | undefined => values.get(key) ?? defaults.get(key);
    const mode = Number.parseInt(value("mode") ?? "", 8);
    const isLink = value("type") === "link";
    const name = path.slice(2).replaceAll(/\\([0-7]{3})/g, characterOf);
    owners.set(name, {
      uid: Number(value("uid") ?? 0),
      gid: Number(value("gid") ?? 0),
      permissions: isLink || Number.isNaN(mode) ? 0o777 : mode,
    });
  }
}

function pairOf(word: string): [string, string] {
  const [key = "", value = ""] = word.split("=", 2);
  return [key, value];
}

function characterOf(_: string, octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}
