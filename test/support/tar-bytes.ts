/** One member of an archive made by hand; everything may be a lie. */
export interface TarEntry {
  readonly path: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` device, `5` folder, `6` FIFO. */
  readonly type?: string;
  readonly content?: string | Uint8Array;
  readonly target?: string;
  readonly mode?: number;
  /** In place of the content's own size. */
  readonly claimedSize?: number;
}

const BLOCK = 512;

/** A tar archive; names that do not fit get a pax header. */
export function tarBytes(entries: readonly TarEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const { path, target = "" } = entry;
    if (Buffer.byteLength(path) > 100 || Buffer.byteLength(target) > 100) {
      const records = paxRecord("path", path) + paxRecord("linkpath", target);
      parts.push(header({ path: "pax", type: "x", content: records }), padded(records));
    }
    parts.push(header(entry), padded(entry.content ?? ""));
  }
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

function header(entry: TarEntry): Uint8Array {
  const { path, type = "0", content = "", target = "", mode = 0o644, claimedSize } = entry;
  const block = Buffer.alloc(BLOCK);
  block.write(Buffer.from(path).subarray(0, 100).toString("latin1"), 0, "latin1");
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(claimedSize ?? Buffer.from(content).length, 11), 124);
  block.write(octal(0, 11), 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(Buffer.from(target).subarray(0, 100).toString("latin1"), 157, "latin1");
  block.write("ustar\0".concat("00"), 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)}\0 `, 148, "latin1");
  return block;
}

function padded(content: string | Uint8Array): Uint8Array {
  const bytes = Buffer.from(content);
  const length = Math.ceil(bytes.length / BLOCK) * BLOCK;
  return Buffer.concat([bytes], length);
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

function paxRecord(key: string, value: string): string {
  if (value === "") return "";
  const body = ` ${key}=${value}\n`;
  let length = body.length;
  while (String(length).length + Buffer.byteLength(body) !== length) length += 1;
  return `${length}${body}`;
}
