import { afterEach, beforeEach, expect } from "bun:test";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { FolderNode } from "../../../src/blit/engine/folder-node.ts";
import { SharedState } from "../../../src/blit/engine/shared-state.ts";
import { Thread } from "../../../src/blit/engine/thread.ts";
import { TargetDevices } from "../../../src/blit/receive/target-devices.ts";
import { firstOptions } from "../../../src/blit/receive/target-options.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import { cannotBind, memoryAt } from "../../support/mount-at.ts";
import { testUnless } from "../../support/skip.ts";
import { plainOptions } from "../../support/stream-transfer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

let work: Workspace;
const open: number[] = [];
const { syncfs } = sys;
beforeEach(() => {
  work = createWorkspace();
});
afterEach(() => {
  sys.syncfs = syncfs;
  for (const fd of open.splice(0)) closeSync(fd);
  work[Symbol.dispose]();
});

function opened(path: string): number {
  const fd = openSync(path, "r");
  open.push(fd);
  return fd;
}

/** The target is `b`; every syncfs is noted, and answers what `answer` says. */
function start(command: "copy" | "move", answer = 0) {
  const synced: number[] = [];
  sys.syncfs = (fd) => {
    synced.push(fd);
    return answer;
  };
  const options = firstOptions({ ...plainOptions, command }, freeBase);
  const t = new Thread(0, options, SharedState.create(1));
  const common = { parentFd: opened(work.folder(".")), targetName: "b", isNew: false };
  const targetFd = opened(work.folder("b"));
  const devices = new TargetDevices(t, [{ kind: "folder", targetFd, ...common }]);
  const folder = (path: string): FolderNode => {
    const fd = opened(work.at("b", path));
    return new FolderNode({ ...node, path, targetFd: fd });
  };
  const note = (path: string): void => {
    const at = folder(path);
    t.statFd(at.targetFd, t.target);
    devices.note(at);
  };
  return { t, devices, folder, note, synced };
}
const node = { root: 0, sourceFd: -1, isNew: false, targetName: "" };

testUnless(cannotBind())("a move syncs each file system that is mounted in its target", () => {
  for (const command of ["move", "copy"] as const) {
    using _mounted = memoryAt(work.at("b/mnt"));
    work.folder("b/mnt/sub");
    writeFileSync(work.at("b/mnt/f"), "1");
    const { devices, note, synced } = start(command);
    for (const path of ["", "mnt", "mnt/sub"]) note(path);
    const asked: string[] = [];
    devices.sync((root, path) => {
      asked.push(`${root}:${path}`);
      return openSync(work.at("b", path), "r");
    });
    expect(asked).toEqual(command === "move" ? ["0:mnt"] : []);
    expect(synced).toHaveLength(command === "move" ? 1 : 0);
    for (const fd of open.splice(0)) closeSync(fd);
  }
});

testUnless(cannotBind())("where that fails nothing in it counts as arrived", () => {
  using _mounted = memoryAt(work.at("b/mnt"));
  work.folder("b/mnt/sub");
  const well = start("move");
  expect(["", "mnt", "mnt/sub"].map((path) => well.devices.isSynced(well.folder(path)))).toEqual([
    true,
    true,
    true,
  ]);
  expect(well.synced).toHaveLength(1);
  const { t, devices, folder } = start("move", -errno.EIO);
  expect(["", "mnt", "mnt/sub"].map((path) => devices.isSynced(folder(path)))).toEqual([
    true,
    false,
    false,
  ]);
  expect(t.issues.map(({ kind, path, code }) => [kind, path, code])).toEqual([
    ["failed", "mnt", "EIO"],
    ["failed", "mnt/sub", "EIO"],
  ]);
  for (const fd of open.splice(0)) closeSync(fd);
});
