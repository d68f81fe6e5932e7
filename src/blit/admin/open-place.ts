import { O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { openBeneath } from "../session/open-beneath.ts";
import type { Base } from "../session/types.ts";
import { placeFault } from "./issues.ts";
import { kindOfMode, look } from "./look.ts";
import type { AdminEntry } from "./types.ts";

/** A place that was asked about. */
export type OpenedPlace = Disposable & {
  /** Readable where it is a folder, else by O_PATH only; `take` hands it over. */
  readonly fd: number;
  readonly entry: AdminEntry;
  /** The caller owns the descriptor from now on. */
  take(): number;
};

/**
 * Opens a place below a base and looks at it. A symbolic link as its last part is looked at itself,
 * unless a slash follows.
 *
 * @param doing completes "Cannot …" in messages: "list"
 * @throws {Fault} E_NOT_FOUND, E_REFUSED for what leads out of the base, E_PRIVILEGE, E_IO
 */
export function openPlace(base: Base, path: string, doing: string): OpenedPlace {
  const wantsFolder = path.endsWith("/");
  const within = pathWithin(base, path);
  const flags = O.PATH | O.CLOEXEC | (wantsFolder ? O.DIRECTORY : O.NOFOLLOW);
  using opened = new Fd(openBeneath(base, within, flags));
  if (!opened.isOpen) throw placeFault(opened.number, doing, path);
  const memory = look();
  const looked = memory.statFd(opened.number);
  if (looked < 0) throw placeFault(looked, doing, path);
  const kind = kindOfMode(memory.status.mode);
  const target = kind === "symlink" ? memory.readLink(opened.number, "") : undefined;
  const entry = memory.entry("", target);
  if (kind !== "folder") return ownedPlace(opened.transfer(), entry);
  const readable = sys.openat(
    opened.number,
    memory.name("."),
    O.RDONLY | O.DIRECTORY | O.CLOEXEC | O.NONBLOCK,
    0,
  );
  if (readable < 0) throw placeFault(readable, doing, path);
  return ownedPlace(readable, entry);
}

/** As `openPlace`, of what must be a folder. @throws {Fault} */
export function openFolder(base: Base, path: string, doing: string): OpenedPlace {
  const place = openPlace(base, path, doing);
  if (place.entry.kind === "folder") return place;
  place[Symbol.dispose]();
  throw placeFault(-errno.ENOTDIR, doing, path);
}

/**
 * The path as it is resolved: below a module a slash at the start is its root's, and nothing at
 * all is the folder itself.
 */
export function pathWithin(base: Base, path: string): string {
  const within = base.resolve === 0 ? path : path.replace(/^\/+/, "");
  return within === "" ? "." : within;
}

function ownedPlace(descriptor: number, entry: AdminEntry): OpenedPlace {
  const owner = new Fd(descriptor);
  return {
    fd: descriptor,
    entry,
    take: () => owner.transfer(),
    [Symbol.dispose]: () => owner[Symbol.dispose](),
  };
}
