import { errno, errnoName, errnoText } from "../../../ffi/errno.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { Issue } from "../engine/options.ts";
import { displayPath } from "../engine/path.ts";

/** Beyond so many, one answer only counts what went wrong. */
const issuesNamedMax = 1000;

/** What went wrong in one answer, handed out in parts. */
export class IssueList {
  #pending: Issue[] = [];
  /** A folder may be read more than once; what is in it is told once. */
  readonly #named = new Set<string>();
  #count = 0;

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  add(issue: Omit<Issue, "root">): void {
    const name = `${issue.kind} ${issue.call} ${issue.path}`;
    if (this.#named.has(name)) return;
    if (this.#named.size < issuesNamedMax) this.#named.add(name);
    this.#count += 1;
    if (this.#count <= issuesNamedMax) this.#pending.push({ root: 0, ...issue });
    if (this.#count === issuesNamedMax + 1) {
      const message = `More than ${issuesNamedMax} entries failed; the others are not named`;
      this.#pending.push({ root: 0, kind: "warning", path: "", code: "", call: "", message });
    }
  }

  /** A call that failed on an entry. `doing` completes "Cannot …". */
  failed(result: number, call: string, path: string, doing: string): void {
    const isGone = result === -errno.ENOENT || result === -errno.ENOTDIR;
    const shown = briefPath(path);
    this.add({
      kind: isGone ? "vanished" : "failed",
      path,
      code: errnoName(-result),
      call,
      message: `Cannot ${doing} "${shown}": ${errnoText(-result)}`,
    });
  }

  /** Those since the last time. */
  take(): readonly Issue[] {
    const taken = this.#pending;
    this.#pending = [];
    return taken;
  }
}

const shownMax = 300;

/** A path for messages: what is long is shown by its end. */
function briefPath(path: string): string {
  const shown = displayPath(path === "" ? "." : path);
  return shown.length <= shownMax ? shown : `…${shown.slice(-shownMax)}`;
}

/** Why a place cannot be used, as a fault. `doing` completes "Cannot …"; `path` is latin1. */
export function placeFault(result: number, doing: string, path: string): Fault {
  const shown = briefPath(path);
  const isAway = result === -errno.EXDEV || result === -errno.ELOOP;
  if (isAway) {
    return new Fault({
      code: "E_REFUSED",
      message: `Cannot ${doing} "${shown}": it leads out of the module`,
      hint: 'neither ".." nor a symbolic link may leave the folder that the daemon exports',
    });
  }
  const isMissing = result === -errno.ENOENT || result === -errno.ENOTDIR;
  const isDenied = result === -errno.EACCES || result === -errno.EPERM;
  return new Fault({
    code: isMissing ? "E_NOT_FOUND" : isDenied ? "E_PRIVILEGE" : "E_IO",
    message: `Cannot ${doing} "${shown}": ${errnoText(-result)}`,
    details: { errno: errnoName(-result) },
  });
}
