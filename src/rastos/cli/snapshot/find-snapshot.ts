import { Fault } from "../../../kit/fault/fault.ts";
import type { Snapshot, SystemState } from "../../snapshot/types.ts";

/** The snapshot with this number, or that begins the branch of this name. @throws {Fault} */
export function findSnapshot(state: SystemState, text: string): Snapshot {
  const isNumber = /^\d+$/.test(text);
  const found = state.snapshots.find(({ id, branch }) =>
    isNumber ? id === Number(text) : branch === text,
  );
  if (found !== undefined) return found;
  const names = state.snapshots.map(({ id, branch }) => branch ?? String(id)).slice(-20);
  throw new Fault({
    code: "E_NOT_FOUND",
    message: isNumber
      ? `Cannot find snapshot ${text}`
      : `Cannot find a snapshot or branch "${text}"`,
    hint:
      names.length === 0
        ? "there is none yet: rastos snapshot create"
        : `there are ${names.join(", ")}: rastos tree`,
  });
}
