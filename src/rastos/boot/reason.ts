import type { BootChange, BootFiles } from "./boot-files.ts";
import { kernelFolderOf } from "./entry.ts";
import type { EntryIdentity } from "./types.ts";

/** Beside the kernel: it lasts for as long as the entry does, whatever becomes of the btrfs. */
function reasonPath(identity: EntryIdentity): string {
  return `${kernelFolderOf(identity)}/reason.txt`;
}

/** What writes a reason. */
export function reasonChange(identity: EntryIdentity, reason: string): BootChange {
  const content = `${reason.replaceAll("\n", " ")}\n`;
  return { kind: "write", path: reasonPath(identity), content };
}

/** What takes it away. */
export function noReasonChange(identity: EntryIdentity): BootChange {
  return { kind: "remove", path: reasonPath(identity) };
}

/** Says why an entry is bad: before it is marked as such, so that nobody has to guess. */
export function writeReason(files: BootFiles, identity: EntryIdentity, reason: string): void {
  files.change([[reasonChange(identity, reason)]]);
}

/** Why it is bad; undefined where nobody has said so. */
export function readReason(files: BootFiles, identity: EntryIdentity): string | undefined {
  const bytes = files.read(reasonPath(identity));
  if (bytes === undefined) return undefined;
  return Buffer.from(bytes).toString("utf8").trim();
}

/** It is good after all. */
export function clearReason(files: BootFiles, identity: EntryIdentity): void {
  if (readReason(files, identity) !== undefined) files.change([[noReasonChange(identity)]]);
}
