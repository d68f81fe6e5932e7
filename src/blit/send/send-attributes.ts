import { errno } from "../../../ffi/errno.ts";
import { fileOutcome, frameType } from "../wire/frame.ts";
import type { WantedFile } from "./answer.ts";
import type { Sender } from "./sender.ts";
import { entryPointer, type SmallPack } from "./small-pack.ts";

/** Index, outcome, length of the blob. */
const headBytes = 12;

type File = Pick<WantedFile, "folder" | "index">;

/** Sends the extended attributes of a file ahead of its content, where it has any. */
export function sendAttributes(s: Sender, pack: SmallPack, file: File): void {
  if (file.folder.hasToldAttributes) return;
  const blob = read(s, file);
  // Its content, which is not there either, tells that.
  if (blob === 0 || blob === -errno.ENOENT) return;
  write(s, pack, file, blob);
}

/** Sends those of a file of which nothing else is wanted. */
export function tellAttributes(s: Sender, pack: SmallPack, file: File): void {
  const blob = read(s, file);
  if (blob === -errno.ENOENT) s.t.vanished(pathOf(file));
  write(s, pack, file, blob);
}

function read(s: Sender, { folder, index }: File): number {
  return s.xattrs.readAt(folder.fd, entryPointer(s, folder, index), folder.dev);
}

function pathOf({ folder, index }: File): string {
  return folder.pathOf(folder.nameOf(index));
}

/** @param blob its length, or -errno */
function write(s: Sender, pack: SmallPack, file: File, blob: number): void {
  const { t, frames, xattrs } = s;
  if (blob < 0 && blob !== -errno.ENOENT) {
    t.attributeFailed(blob, "flistxattr", pathOf(file), "extended attributes");
  }
  const length = Math.max(0, blob);
  pack.close();
  s.must(frames.begin(headBytes + length));
  frames.u32(file.index);
  frames.u32(blob < 0 ? fileOutcome.failed : fileOutcome.same);
  frames.u32(length);
  if (length > 0) frames.copy(xattrs.bytes, 0, length);
  frames.end(frameType.attributes, 0, file.folder.id);
  s.flushIfMuch();
}
