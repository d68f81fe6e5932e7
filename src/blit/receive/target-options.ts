import type { EngineOptions, Purpose } from "../engine/options.ts";
import { foldsNames, grainOf, preallocatingFileSystems } from "../engine/prepare.ts";
import { fileSystemOf } from "../engine/roots.ts";
import { temporaryPrefix } from "../engine/staging.ts";
import type { Thread } from "../engine/thread.ts";
import type { Base, PassPurpose, SessionOptions } from "../session/types.ts";
import type { TargetPlace } from "./target-places.ts";

/** What the engine has to know for the target's side of a session. */

let sessions = 0;

/** Sessions of one process make different temporary names. */
function sessionPrefix(): string {
  const number = (sessions++ % 36 ** 6).toString(36).padStart(6, "0");
  return temporaryPrefix() + number;
}

/** What is known before the target has been looked at. */
export function firstOptions(options: SessionOptions, base: Base): EngineOptions {
  const { command, comparison, ignoreExisting, update, xattrs, owner, specials, filter } = options;
  const uid = base.confine?.uid ?? process.geteuid?.() ?? 0;
  const gid = base.confine?.gid ?? process.getegid?.() ?? 0;
  const isOther = base.confine?.uid !== undefined || base.confine?.gid !== undefined;
  return {
    command,
    purpose: "transfer",
    // A source file is removed for the sake of what the target has: that has to be its content.
    comparison: command === "move" ? "checksum" : comparison,
    ignoreExisting,
    update,
    xattrs,
    owner,
    specials: specials && uid === 0,
    filter,
    temporaryPrefix: sessionPrefix(),
    backupFd: -1,
    backupFolders: [],
    startedAtSec: Math.floor(Date.now() / 1000),
    user: { uid, gid, groups: isOther ? [gid] : (process.getgroups?.() ?? []) },
    timeGrainNs: 1,
    targetFoldsNames: false,
    targetMount: { dev: 0, mntId: 0 },
    hugeFileStrategy: undefined,
    preallocates: false,
    clonesSmallFiles: false,
  };
}

/** The same once the target is open. Its file system is the second result. */
export function completeOptions(
  t: Thread,
  places: readonly TargetPlace[],
): { readonly options: EngineOptions; readonly fileSystem: string } {
  const [place] = places;
  const targetFd = place === undefined || place.targetFd >= 0 ? place?.targetFd : place.parentFd;
  const fileSystem = fileSystemOf(t, targetFd ?? -1);
  const { command } = t.options;
  let timeGrainNs = 1;
  let targetMount = { dev: 0, mntId: 0 };
  if (targetFd !== undefined && t.statFd(targetFd, t.other) === 0) {
    targetMount = { dev: t.other.dev, mntId: t.other.mntId };
    timeGrainNs = grainOf(t, fileSystem);
  }
  const options: EngineOptions = {
    ...t.options,
    // A mirror of a single file is a copy: there is no folder to delete from.
    command: command === "mirror" && place?.kind === "entry" ? "copy" : command,
    backupFolders: places.map((each) => (each.isBelow ? each.targetName : "")),
    targetMount,
    timeGrainNs,
    preallocates: preallocatingFileSystems.has(fileSystem),
  };
  return { options, fileSystem };
}

/** Whether names have to be kept apart by blit: tried, so only where the target may be changed. */
export function withFolding(t: Thread, fileSystem: string, fd: number): EngineOptions {
  return { ...t.options, targetFoldsNames: foldsNames(t, fileSystem, fd) };
}

/** What a pass is for, in the engine's words; settling changes nothing on this side. */
export function enginePurpose(purpose: PassPurpose): Purpose {
  return purpose === "settle" ? "count" : purpose;
}
