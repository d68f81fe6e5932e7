/**
 * The status of an entry as it goes over the wire: three slices of a struct statx (statx(2)),
 * whose layout is the same on every Linux: [16, 48) links, owner, mode, inode, size; [64, 80)
 * access time; [96, 144) change time, modification time, device of a special, device. All
 * little-endian.
 */

/** One struct statx, whose slices are taken or filled in. */
export class StatusSlices {
  readonly #first: Uint8Array;
  readonly #second: Uint8Array;
  readonly #third: Uint8Array;

  /** @param bytes memory that holds the struct at `offset` */
  constructor(bytes: Uint8Array, offset: number) {
    this.#first = bytes.subarray(offset + 16, offset + 48);
    this.#second = bytes.subarray(offset + 64, offset + 80);
    this.#third = bytes.subarray(offset + 96, offset + 144);
  }

  /** Writes STATUS_BYTES bytes. */
  write(to: Uint8Array, offset: number): void {
    to.set(this.#first, offset);
    to.set(this.#second, offset + 32);
    to.set(this.#third, offset + 48);
  }

  /** Makes the struct say what STATUS_BYTES bytes say; its other fields stay. */
  read(from: Uint8Array, offset: number): void {
    this.#first.set(from.subarray(offset, offset + 32));
    this.#second.set(from.subarray(offset + 32, offset + 48));
    this.#third.set(from.subarray(offset + 48, offset + 96));
  }
}
