import { join } from "node:path";
import { O } from "../../../ffi/abi/constants.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { HERE, isThere, openAt, removeFileAt } from "../../kit/fs/at.ts";
import { stateFolder } from "./layout.ts";
import { writeStateFile } from "./state.ts";
import { syncFilesystem } from "./subvolume.ts";
import type { SystemState } from "./types.ts";

/**
 * Room that is taken so that it can be given: on a disk that others have filled, not even the state
 * could be written that says which snapshots are removed, and nothing would ever be free again.
 */
const RESERVE_BYTES = 4 * 1024 * 1024;

function reservePath(top: string): string {
  return join(stateFolder(top), "reserve");
}

/** Takes the room, if it is not taken yet; without room for it, it stays free. */
export function takeReserve(top: string): void {
  const path = reservePath(top);
  if (isThere(HERE, path)) return;
  using file = new Fd(openAt(HERE, path, O.WRONLY | O.CREAT | O.EXCL, 0o600));
  if (file.isOpen && sys.fallocate(file.number, 0, 0, RESERVE_BYTES) >= 0) return;
  removeFileAt(HERE, path);
}

/** Writes the state, in the reserved room if there is no other. @throws {Fault} */
export function writeState(top: string, state: SystemState, isRepeated = false): void {
  try {
    writeStateFile(top, state, isRepeated);
  } catch (error) {
    const isFull = error instanceof Fault && error.code === "E_NO_SPACE";
    if (!isFull || removeFileAt(HERE, reservePath(top)) < 0) throw error;
    // The room is free when the removal is on the disk.
    syncFilesystem(top);
    writeStateFile(top, state);
  }
}
