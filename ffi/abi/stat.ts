/**
 * struct statx of statx(2): byte offsets, equal on every Linux architecture (fixed-width fields).
 * test/ffi/abi/stat.test.ts compares them with offsetof of a C compiler.
 */
export const STATX_LAYOUT = {
  size: 256,
  mask: 0,
  blksize: 4,
  attributes: 8,
  nlink: 16,
  uid: 20,
  gid: 24,
  mode: 28,
  ino: 32,
  sizeBytes: 40,
  blocks: 48,
  atimeSec: 64,
  atimeNsec: 72,
  ctimeSec: 96,
  ctimeNsec: 104,
  mtimeSec: 112,
  mtimeNsec: 120,
  rdevMajor: 128,
  rdevMinor: 132,
  devMajor: 136,
  devMinor: 140,
  mntId: 144,
} as const;

/** Where the fields lie that tell whether a file has changed, as 32-bit words. */
export const STATX_WORD = {
  nlink: STATX_LAYOUT.nlink / 4,
  uid: STATX_LAYOUT.uid / 4,
  gid: STATX_LAYOUT.gid / 4,
  mode: STATX_LAYOUT.mode / 4,
  size: STATX_LAYOUT.sizeBytes / 4,
  ctime: STATX_LAYOUT.ctimeSec / 4,
  mtime: STATX_LAYOUT.mtimeSec / 4,
} as const;

const TWO_32 = 4294967296;

/**
 * A view on one struct statx in foreign memory. Getters read on demand, so a caller pays only for
 * the fields that it asks for. 64-bit fields become numbers: sizes, inodes and seconds below 2^53.
 */
export class StatView {
  /** Address of the struct, to hand to statx. */
  readonly pointer: number;
  readonly #u32: Uint32Array;
  readonly #i32: Int32Array;

  /** `buffer` holds the struct at `offset` (a multiple of 8); `pointer` is its address. */
  constructor(buffer: ArrayBuffer, offset: number, pointer: number) {
    this.pointer = pointer;
    this.#u32 = new Uint32Array(buffer, offset, STATX_LAYOUT.size / 4);
    this.#i32 = new Int32Array(buffer, offset, STATX_LAYOUT.size / 4);
  }

  #u64(index: number): number {
    return (this.#u32[index + 1] as number) * TWO_32 + (this.#u32[index] as number);
  }
  #s64(index: number): number {
    return (this.#i32[index + 1] as number) * TWO_32 + (this.#u32[index] as number);
  }
  get nlink(): number {
    return this.#u32[4] as number;
  }
  get uid(): number {
    return this.#u32[5] as number;
  }
  get gid(): number {
    return this.#u32[6] as number;
  }
  /** Type and permission bits. */
  get mode(): number {
    return (this.#u32[7] as number) & 0xffff;
  }
  get ino(): number {
    return this.#u64(8);
  }
  /** The low and high half of the inode number, for exact comparison above 2^53. */
  get inoLow(): number {
    return this.#u32[8] as number;
  }
  get inoHigh(): number {
    return this.#u32[9] as number;
  }
  get sizeBytes(): number {
    return this.#u64(10);
  }
  /** Bytes that are no holes, as far as the blocks in use tell. */
  get dataBytes(): number {
    return Math.min(this.sizeBytes, this.blocks * 512);
  }

  /** 512-byte blocks in use. */
  get blocks(): number {
    return this.#u64(12);
  }
  get atimeSec(): number {
    return this.#s64(16);
  }
  get atimeNsec(): number {
    return this.#u32[18] as number;
  }
  get ctimeSec(): number {
    return this.#s64(24);
  }
  get ctimeNsec(): number {
    return this.#u32[26] as number;
  }
  get mtimeSec(): number {
    return this.#s64(28);
  }
  get mtimeNsec(): number {
    return this.#u32[30] as number;
  }
  get rdevMajor(): number {
    return this.#u32[32] as number;
  }
  get rdevMinor(): number {
    return this.#u32[33] as number;
  }
  /** Device as one number: major * 2^20 + minor (minor has 20 bits in Linux). */
  get dev(): number {
    return (this.#u32[34] as number) * 1048576 + (this.#u32[35] as number);
  }
  /** Mount id (Linux 5.8 and later), 0 where the kernel does not tell. */
  get mntId(): number {
    return ((this.#u32[0] as number) & 0x1000) === 0 ? 0 : this.#u64(36);
  }
}
