/** Tar archives with owners, times and pax names, as makepkg writes them through bsdtar. */

/** One member of a package's archive. */
export interface ArchiveMember {
  readonly path: string;
  readonly kind: "file" | "folder" | "symlink" | "hardlink";
  readonly content: Uint8Array;
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const BLOCK = 512;
const TYPES = { file: "0", hardlink: "1", symlink: "2", folder: "5" } as const;

/** The archive; names that are long or no ASCII get a pax header, as from bsdtar. */
export function archiveOf(members: readonly ArchiveMember[], timeSeconds: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const member of members) {
    const path = member.kind === "folder" ? `${member.path}/` : member.path;
    const records = [paxRecord("path", path), paxRecord("linkpath", member.target)].join("");
    if (records !== "") {
      const content = Buffer.from(records);
      parts.push(headerOf({ ...member, path: "PaxHeader", type: "x", content }, timeSeconds));
      parts.push(content, paddingOf(content.length));
    }
    const content = member.kind === "file" ? member.content : new Uint8Array();
    parts.push(headerOf({ ...member, path, type: TYPES[member.kind], content }, timeSeconds));
    parts.push(content, paddingOf(content.length));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

interface Header {
  readonly path: string;
  readonly type: string;
  readonly target: string;
  readonly content: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

function headerOf(member: Header, timeSeconds: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  Buffer.from(member.path).copy(block, 0, 0, 100);
  block.write(octal(member.mode, 7), 100);
  block.write(octal(member.uid, 7), 108);
  block.write(octal(member.gid, 7), 116);
  block.write(octal(member.content.length, 11), 124);
  block.write(octal(timeSeconds, 11), 136);
  block.write("        ", 148);
  block.write(member.type, 156);
  if (member.type !== "x") Buffer.from(member.target).copy(block, 157, 0, 100);
  block.write("ustar\0".concat("00"), 257, "latin1");
  block.write("root", 265);
  block.write("root", 297);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, "latin1");
  return block;
}

function paddingOf(length: number): Uint8Array {
  return Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function paxRecord(key: string, value: string): string {
  const isPlain = Buffer.byteLength(value) === value.length && value.length <= 100;
  if (isPlain) return "";
  const body = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(body);
  let length = bytes;
  while (String(length).length + bytes !== length) length += 1;
  return `${length}${body}`;
}
