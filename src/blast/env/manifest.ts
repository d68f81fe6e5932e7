import { readFileSync, realpathSync, statSync } from "node:fs";
import { errno } from "../../../ffi/errno.ts";
import { HERE, removeFileAt } from "../../kit/fs/at.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { must } from "./faults.ts";

/** Writes or removes a manifest as a whole. A symbolic link stays one, and a mode as it is. */
export function setManifest(path: string, content: string | null): void {
  if (content !== null) {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status === undefined) writeFileAtomic({ path, content });
    else writeFileAtomic({ path: realpathSync(path), content, mode: status.mode & 0o777 });
    return;
  }
  const removed = removeFileAt(HERE, path);
  if (removed !== -errno.ENOENT) must(removed, "remove", path);
}

/** Whether a manifest holds this content now. */
export function holdsManifest(path: string, content: string | null): boolean {
  try {
    return readFileSync(path, "utf8") === content;
  } catch {
    return content === null;
  }
}
