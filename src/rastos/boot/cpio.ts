/** The "newc" format of cpio archives, as the kernel unpacks it (buffer-format.txt). Pure. */

/** Something in an archive. */
export type CpioEntry =
  | { readonly kind: "folder"; readonly path: string; readonly mode: number }
  | {
      readonly kind: "file";
      readonly path: string;
      readonly mode: number;
      readonly content: Uint8Array;
    }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  /** A character device. */
  | {
      readonly kind: "device";
      readonly path: string;
      readonly mode: number;
      readonly major: number;
      readonly minor: number;
    };

const TYPES = { folder: 0o040000, file: 0o100000, link: 0o120000, device: 0o020000 } as const;
const BLOCK = 512;

/**
 * An archive of the entries in their order, all owned by root. The same entries give the same
 * bytes: inodes are numbered as they come, and there is one time for all.
 *
 * @param seconds modification time of everything, since 1970
 */
export function writeCpio(entries: readonly CpioEntry[], seconds: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [index, entry] of entries.entries()) parts.push(...record(entry, index + 1, seconds));
  parts.push(...record(TRAILER, 0, 0));
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(new Uint8Array(padding(size, BLOCK)));
  return Buffer.concat(parts);
}

const TRAILER: CpioEntry = {
  kind: "file",
  path: "TRAILER!!!",
  mode: 0,
  content: new Uint8Array(0),
};

function record(entry: CpioEntry, inode: number, seconds: number): Uint8Array[] {
  const content = contentOf(entry);
  const name = Buffer.from(`${entry.path}\0`);
  const mode =
    entry === TRAILER ? 0 : TYPES[entry.kind] | (entry.kind === "link" ? 0o777 : entry.mode);
  const isDevice = entry.kind === "device";
  const fields = [
    inode,
    mode,
    0, // owner
    0, // group
    entry.kind === "folder" ? 2 : 1, // links
    seconds,
    content.length,
    0, // device that it is on
    0,
    isDevice ? entry.major : 0,
    isDevice ? entry.minor : 0,
    name.length,
    0, // checksum: none in this format
  ];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  return [
    Buffer.from(header),
    name,
    new Uint8Array(padding(header.length + name.length, 4)),
    content,
    new Uint8Array(padding(content.length, 4)),
  ];
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === "file") return entry.content;
  return entry.kind === "link" ? Buffer.from(entry.target) : new Uint8Array(0);
}

function padding(size: number, unit: number): number {
  return (unit - (size % unit)) % unit;
}
