import type { Project } from "./project.ts";

/** Where nothing but the lock file is there, it says itself what is wanted. */
export function isLockAlone({ files }: Project): boolean {
  const others = [files.blastToml, files.pyproject, files.requirements];
  return files.pylock !== undefined && others.every((path) => path === undefined);
}
