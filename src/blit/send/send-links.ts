import { S } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { openFolderBelow } from "../engine/backup.ts";
import type { LinkMember } from "../engine/messages.ts";
import { frameType, STATUS_BYTES } from "../wire/frame.ts";
import { OpenFolder } from "./open-folder.ts";
import type { Sender } from "./sender.ts";

/** Root, length of the name, length of the folder's path. */
const memberHeadBytes = 8;
/** A LINKS frame stays below the largest payload; a file with more names is sent in several. */
const membersBytesMax = 2 * 1024 * 1024;

/**
 * Sends a file of several names: what it is, and where the names are. Its content is asked for as
 * that of any file, as the one entry of a folder. undefined where none of the names is there.
 */
export function sendLinks(s: Sender, group: readonly LinkMember[]): OpenFolder | undefined {
  for (const [index, member] of group.entries()) {
    const folder = openMember(s, member);
    if (folder === undefined) continue;
    const members = group.slice(index);
    writeLinks(s, folder, members);
    if ((s.t.source.mode & S.IFMT) === S.IFREG) {
      folder.items = members.length;
      folder.bytes = members.length * s.t.source.sizeBytes;
    }
    return folder;
  }
  return undefined;
}

/** Splits the names of a file, so that each part fits into a frame; the first name leads each. */
export function linkParts(group: readonly LinkMember[]): LinkMember[][] {
  const parts: LinkMember[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  const [first] = group;
  for (const member of group) {
    const length = memberHeadBytes + member.name.length + member.folder.length;
    if (bytes + length > membersBytesMax) {
      const isFirst = parts.length === 0 || first === undefined;
      parts.push(isFirst ? [] : [first]);
      bytes = isFirst ? 0 : memberHeadBytes + first.name.length + first.folder.length;
    }
    parts.at(-1)?.push(member);
    bytes += length;
  }
  return parts;
}

/** Opens the folder of a name and looks at it; undefined, after a report, where it has gone. */
function openMember(s: Sender, member: LinkMember): OpenFolder | undefined {
  const { t } = s;
  const { root, folder: path, name } = member;
  t.root = root;
  const base = s.roots[root]?.fd ?? -1;
  const fd = openFolderBelow(t, base, path, { make: false });
  const folder = new OpenFolder({ id: s.nextId(), root, path, fd, isHolder: false });
  if (fd < 0) {
    t.failed(fd, "openat", folder.pathOf(name), "open the folder of linked files");
    return undefined;
  }
  t.setEntry(name);
  const looked = t.statAt(fd, t.entryPointer, t.source);
  if (looked === 0) {
    s.hold(folder);
    return folder;
  }
  t.failed(looked, "statx", folder.pathOf(name), "look at the source");
  sys.close(fd);
  return undefined;
}

/** Writes the frame; status of the file, the entry at hand, is in t.source. */
function writeLinks(s: Sender, folder: OpenFolder, members: readonly LinkMember[]): void {
  const { t, frames, xattrs, collector } = s;
  const isFile = (t.source.mode & S.IFMT) === S.IFREG;
  let blob = isFile ? xattrs.readAt(folder.fd, t.entryPointer, t.source.dev) : 0;
  if (blob < 0) {
    const path = folder.pathOf(t.entryName());
    t.attributeFailed(blob, "flistxattr", path, "extended attributes");
    blob = 0;
  }
  let bytes = 0;
  for (const each of members) bytes += memberHeadBytes + each.name.length + each.folder.length;
  s.must(frames.begin(STATUS_BYTES + 4 + blob + 4 + bytes));
  frames.status(t.sourceWords);
  frames.u32(blob);
  if (blob > 0) frames.copy(xattrs.bytes, 0, blob);
  frames.u32(members.length);
  for (const member of members) {
    frames.u16(member.root);
    frames.u16(member.name.length);
    frames.u32(member.folder.length);
    frames.text(member.folder);
    frames.text(member.name);
  }
  frames.end(frameType.links, 0, folder.id);
  const offset = t.entryPointer - t.scratch.pointer;
  collector.add(t.scratch.bytes, offset, t.entryLength, t.sourceWords);
  collector.moveTo(folder);
  folder.hasToldAttributes = true;
}
