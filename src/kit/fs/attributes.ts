import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";

/** Extended attributes (xattr(7)) of one file by name, values as latin1 text of their bytes. */
export type Attributes = ReadonlyMap<string, string>;

const sizeBytesMax = 65_536;

/** All attributes of an open file that this process may see; none where there are none at all. */
export function attributesOf(fd: number): Attributes {
  const { pointer, text } = scratch();
  const got = sys.flistxattr(fd, pointer, sizeBytesMax);
  const names = got <= 0 ? [] : text.latin1Slice(0, got - 1).split("\0");
  const found = new Map<string, string>();
  for (const name of names) {
    const valueAt = pointer + sizeBytesMax;
    const length = sys.fgetxattr(fd, place(name), valueAt, sizeBytesMax);
    if (length < 0) continue;
    found.set(name, text.latin1Slice(sizeBytesMax, sizeBytesMax + length));
  }
  return found;
}

/** Has an open file have exactly these attributes; 0, or -errno of the first that fails. */
export function giveAttributes(fd: number, wanted: Attributes): number {
  const before = attributesOf(fd);
  for (const name of before.keys()) {
    if (wanted.has(name)) continue;
    const result = sys.fremovexattr(fd, place(name));
    if (result < 0 && result !== -errno.ENODATA) return result;
  }
  for (const [name, value] of wanted) {
    if (before.get(name) === value) continue;
    const { pointer, text } = scratch();
    text.latin1Write(value, sizeBytesMax);
    const result = sys.fsetxattr(fd, place(name), pointer + sizeBytesMax, value.length, 0);
    if (result < 0) return result;
  }
  return 0;
}

/** Puts a name where the kernel can read it. */
function place(name: string): number {
  const { pointer, text } = scratch();
  text.latin1Write(`${name}\0`, 0);
  return pointer;
}

function scratch(): Memory {
  memory ??= new Memory(2 * sizeBytesMax);
  return memory;
}

let memory: Memory | undefined;
