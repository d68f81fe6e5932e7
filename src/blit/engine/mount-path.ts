import { readFileSync, readlinkSync } from "node:fs";

/**
 * Where a folder lies in its file system, whatever is mounted where: proc(5), mountinfo.
 * Paths are latin1.
 */

type Mount = {
  /** The part of the file system that is mounted. */
  readonly root: string;
  readonly point: string;
};

/** Finds a mount in the text of /proc/self/mountinfo. */
export function findMount(mountInfo: string, mntId: number): Mount | undefined {
  for (const line of mountInfo.split("\n")) {
    const [id, , , root, point] = line.split(" ");
    if (Number(id) !== mntId || root === undefined || point === undefined) continue;
    return { root: unescapeOctal(root), point: unescapeOctal(point) };
  }
  return undefined;
}

/** Blanks, tabs, newlines and backslashes are written as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The path within its file system of what lies at `path`, below a mount. */
export function pathInMount(mount: Mount, path: string): string | undefined {
  const { root, point } = mount;
  const prefix = point === "/" ? "" : point;
  if (path !== point && !path.startsWith(`${prefix}/`)) return undefined;
  const inside = path.slice(prefix.length);
  const joined = `${root === "/" ? "" : root}${inside === "/" ? "" : inside}`;
  return joined === "" ? "/" : joined;
}

/** The same for an open descriptor; undefined where /proc does not tell. */
export function pathInFileSystem(fd: number, mntId: number): string | undefined {
  try {
    const mount = findMount(readFileSync("/proc/self/mountinfo", "latin1"), mntId);
    const path = readlinkSync(`/proc/self/fd/${fd}`, "latin1");
    return mount === undefined ? undefined : pathInMount(mount, path);
  } catch {
    return undefined;
  }
}
