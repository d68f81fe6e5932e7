import { closeSync, openSync, readSync } from "node:fs";

/** What an executable's ELF header says of the machine that it runs on. */
export interface ElfFacts {
  readonly bits: 32 | 64;
  /** e_machine: 62 x86-64, 183 AArch64, 40 ARM, 3 i386, 243 RISC-V. */
  readonly machine: number;
  /** e_flags; on ARM it tells the calling convention. */
  readonly flags: number;
  /** The dynamic loader, such as `/lib/ld-musl-x86_64.so.1`. */
  readonly loader: string | undefined;
}

const HEADER_BYTES = 64;
const PROGRAM_HEADERS_MAX = 64;
const LOADER_BYTES_MAX = 4096;
const PT_INTERP = 3;

/** Reads the header; undefined for what is no ELF file or cannot be read. */
export function readElf(path: string): ElfFacts | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return undefined;
  }
  try {
    return parseElf((offset, length) => {
      const buffer = Buffer.alloc(length);
      return buffer.subarray(0, readSync(fd, buffer, 0, length, offset));
    });
  } catch {
    return undefined; // Shorter than its header says.
  } finally {
    closeSync(fd);
  }
}

function parseElf(read: (offset: number, length: number) => Buffer): ElfFacts | undefined {
  const header = read(0, HEADER_BYTES);
  if (header.toString("latin1", 0, 4) !== "\u007fELF") return undefined;
  const wide = header[4] === 2;
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const little = header[5] === 1;
  const word = (at: number): number =>
    wide ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little);
  const facts = {
    bits: wide ? 64 : 32,
    machine: view.getUint16(18, little),
    flags: view.getUint32(wide ? 48 : 36, little),
  } as const;
  const tableOffset = word(wide ? 32 : 28);
  const entryBytes = view.getUint16(wide ? 54 : 42, little);
  const count = Math.min(view.getUint16(wide ? 56 : 44, little), PROGRAM_HEADERS_MAX);
  const bytes = read(tableOffset, entryBytes * count);
  const table = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let index = 0; index < count; index += 1) {
    const at = index * entryBytes;
    if (table.getUint32(at, little) !== PT_INTERP) continue;
    const number = (wideAt: number, narrowAt: number): number =>
      wide
        ? Number(table.getBigUint64(at + wideAt, little))
        : table.getUint32(at + narrowAt, little);
    const length = Math.min(number(32, 16), LOADER_BYTES_MAX);
    const loader = read(number(8, 4), length).toString("latin1").replace(/\0.*$/s, "");
    return { ...facts, loader };
  }
  return { ...facts, loader: undefined };
}
