import { openLibc } from "./library.ts";
import { Memory } from "./mem.ts";
import { restarting } from "./sys.ts";

/** Flags of mount(2). */
const MS_NOATIME = 1024;

/** What to mount where. */
export interface MountRequest {
  readonly device: string;
  readonly place: string;
  /** Kind of file system. */
  readonly kind: string;
  /** Its own options. */
  readonly data: string;
}

/** Mounts a file system, without access times; 0 or -errno. mount(2) */
export function mountFolder(request: MountRequest): number {
  return mountWith({ ...request, flags: MS_NOATIME });
}

/** Flags of mount(2) for binds and for what belongs to one namespace. */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  BIND: 4096,
  REC: 16_384,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
} as const;

/** mount(2) with its flags; 0 or -errno. */
export function mountWith(request: MountRequest & { readonly flags: number }): number {
  const { mount } = openLibc({
    mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  });
  const memory = new Memory(4 * 4096);
  const texts = [request.device, request.place, request.kind, request.data];
  const [device = 0, place = 0, kind = 0, data = 0] = texts.map((text, index) => {
    const bytes = Buffer.from(`${text}\0`).subarray(0, 4096);
    memory.bytes.set(bytes, index * 4096);
    return memory.pointer + index * 4096;
  });
  return restarting<number[]>(mount as (...args: never[]) => number)(
    device,
    place,
    kind,
    request.flags,
    data,
  );
}
