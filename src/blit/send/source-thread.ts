import type { EngineOptions, Purpose } from "../engine/options.ts";
import type { SharedState } from "../engine/shared-state.ts";
import { Thread } from "../engine/thread.ts";
import type { PassPurpose, SessionOptions } from "../session/types.ts";

/** A thread of the engine that only reads: what it would need of a target stands for nothing. */
export function sourceThread(setup: {
  index: number;
  options: SessionOptions;
  shared: SharedState;
  startedAtSec: number;
}): Thread {
  const { options } = setup;
  const engine: EngineOptions = {
    ...options,
    purpose: "transfer",
    temporaryPrefix: "",
    backupFd: -1,
    backupFolders: [],
    startedAtSec: setup.startedAtSec,
    user: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, groups: [] },
    timeGrainNs: 1,
    targetFoldsNames: false,
    targetMount: { dev: 0, mntId: 0 },
    hugeFileStrategy: "buffered",
    preallocates: false,
    clonesSmallFiles: false,
  };
  return new Thread(setup.index, engine, setup.shared);
}

/** What a pass is for the engine's parts: one that settles a move changes things, too. */
export function enginePurpose(purpose: PassPurpose): Purpose {
  return purpose === "settle" ? "transfer" : purpose;
}
