import { AT, O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { type Memory, takeMemory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { type Thread, xattrBytes } from "../engine/thread.ts";
import { XATTR_BLOB_BYTES_MAX } from "../wire/frame.ts";

/** listxattrat(2), Linux 6.13; the same number on every architecture. */
const SYS_LISTXATTRAT = 465;

const openFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;

/**
 * Extended attributes of a source as they go over the wire: one blob for each entry that has any.
 * ACLs are among them. What the target's own policy sets is left out.
 */
export class SourceXattrs {
  readonly #thread: Thread;
  /** The file system has none, or they are not asked for. */
  #isOff: boolean;
  /** A device on which a probe gave EOPNOTSUPP: entries of others are asked all the same. */
  #barrenDev = -1;
  #hasCall = true;
  #list: Memory | undefined;
  #blob: Memory | undefined;
  #view: DataView | undefined;

  constructor(t: Thread, wants: boolean) {
    this.#thread = t;
    this.#isOff = !wants;
  }

  /** The blob that the last call has made. */
  get bytes(): Uint8Array {
    return this.#memory().bytes;
  }

  #memory(): Memory {
    this.#blob ??= takeMemory(XATTR_BLOB_BYTES_MAX + xattrBytes);
    this.#view ??= new DataView(this.#blob.buffer);
    return this.#blob;
  }

  #names(): Memory {
    this.#list ??= takeMemory(xattrBytes);
    return this.#list;
  }

  /**
   * Makes the blob of an entry of folder `fd`; most have none, which costs one call.
   * @param dev the device that the entry is on
   * @returns its length, or -errno
   */
  readAt(fd: number, namePointer: number, dev: number): number {
    if (this.#isOff || dev === this.#barrenDev) return 0;
    // Without room the call says how much it wants, and costs half.
    const wanted = this.#listAt(fd, namePointer, 0);
    if (wanted === 0) return 0;
    if (wanted === -errno.EOPNOTSUPP) {
      this.#barrenDev = dev;
      return 0;
    }
    if (wanted < 0 && wanted !== -errno.ENOSYS) return wanted;
    if (wanted > 0) {
      const listed = this.#listAt(fd, namePointer, xattrBytes);
      if (listed < 0) return listed;
      // With a security module every file has a label, which is the target's business.
      if (this.#namesOf(listed).every(isLeftToTarget)) return 0;
    }
    const opened = this.#thread.openToRead(fd, namePointer, openFlags);
    if (opened < 0) return opened;
    const length = this.readOpen(opened);
    sys.close(opened);
    return length;
  }

  /** As `readAt` for an open file or folder. */
  readOpen(fd: number): number {
    if (this.#isOff) return 0;
    const names = this.#names();
    const listed = sys.flistxattr(fd, names.pointer, xattrBytes);
    if (listed === -errno.EOPNOTSUPP || listed === -errno.ENOSYS) return 0;
    if (listed <= 0) return listed;
    return this.#collect(fd, this.#namesOf(listed));
  }

  #namesOf(length: number): string[] {
    return length === 0
      ? []
      : this.#names()
          .text.latin1Slice(0, length - 1)
          .split("\0");
  }

  #listAt(fd: number, namePointer: number, room: number): number {
    if (!this.#hasCall) return -errno.ENOSYS;
    const { pointer } = this.#names();
    const flags = AT.SYMLINK_NOFOLLOW;
    const call = SYS_LISTXATTRAT;
    const listed = sys.syscall(call, fd, namePointer, flags, pointer, room, 0);
    // EPERM: what a container's filter says of calls that it does not know.
    if (listed === -errno.ENOSYS || listed === -errno.EPERM) {
      this.#hasCall = false;
      return -errno.ENOSYS;
    }
    return listed;
  }

  #collect(fd: number, names: readonly string[]): number {
    const t = this.#thread;
    const blob = this.#memory();
    const view = this.#view as DataView;
    let at = 0;
    for (const name of names) {
      if (isLeftToTarget(name)) continue;
      const valueAt = at + 6 + name.length;
      if (valueAt > XATTR_BLOB_BYTES_MAX) return -errno.EFBIG;
      const value = blob.pointer + valueAt;
      const length = sys.fgetxattr(fd, t.cLink(name), value, xattrBytes);
      if (length === -errno.ENODATA) continue;
      if (length < 0) return length;
      if (valueAt + length > XATTR_BLOB_BYTES_MAX) return -errno.EFBIG;
      view.setUint16(at, name.length, true);
      view.setUint32(at + 2, length, true);
      blob.text.latin1Write(name, at + 6);
      at = valueAt + length;
    }
    return at;
  }
}

function isLeftToTarget(name: string): boolean {
  return name === "security.selinux" || name === "security.ima" || name === "security.evm";
}
