import { statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createWorkspace } from "./workspace.ts";

const CANDIDATE = "/dev/shm";
let known: { readonly path: string | undefined } | undefined;

/**
 * A folder on another file system than the temporary folder, one that holds extended attributes;
 * undefined where there is none. No mount is needed, so this works without root.
 */
export function secondFilesystem(): string | undefined {
  known ??= { path: isSecond() ? CANDIDATE : undefined };
  return known.path;
}

function isSecond(): boolean {
  const status = statSync(CANDIDATE, { throwIfNoEntry: false });
  if (status === undefined || status.dev === statSync(tmpdir()).dev) return false;
  try {
    using work = createWorkspace(CANDIDATE);
    writeFileSync(join(work.path, "file"), "");
    const set = ["import os, sys", 'os.setxattr(sys.argv[1], "user.x", b"1")'].join("\n");
    return Bun.spawnSync(["python3", "-c", set, join(work.path, "file")]).success;
  } catch {
    return false;
  }
}
