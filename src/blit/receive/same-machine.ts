import { Fault } from "../../kit/fault/fault.ts";
import { displayPath } from "../engine/path.ts";
import { lineageOf } from "../session/lineage.ts";
import type { SourceRoot } from "../session/types.ts";
import type { TargetPlace } from "./target-places.ts";

/**
 * Refuses, where both sides are on one machine, what the local engine refuses too: a folder into
 * itself, a file or folder onto itself, a mirror over the folder that holds its source.
 * @throws Fault E_REFUSED
 */
export function refuseSameMachine(command: string, root: SourceRoot, place: TargetPlace): void {
  const above = root.lineage ?? [];
  const [source] = above;
  if (source === undefined) return;
  const isThere = place.targetFd >= 0;
  const lineage = lineageOf(isThere ? place.targetFd : place.parentFd);
  const [target] = lineage;
  const [from, to] = [`"${displayPath(root.typed)}"`, `"${displayPath(place.targetPath)}"`];
  if (root.kind === "entry") {
    const isSame = place.missing.length === 0 && root.name === place.targetName;
    if (isSame && target === source && !isThere) refuse(`Cannot ${command} ${from} onto itself`);
    return;
  }
  if (isThere && target === source) refuse(`Cannot ${command} ${from} onto itself`);
  if (lineage.includes(source)) {
    refuse(`Cannot ${command} ${from} into itself: ${to} lies in it`);
  }
  if (command === "mirror" && isThere && target !== undefined && above.includes(target)) {
    refuse(`Refusing to mirror onto ${to}: the source lies in it and would be deleted`);
  }
}

function refuse(message: string): never {
  throw new Fault({ code: "E_REFUSED", message, hint: "name another target" });
}
