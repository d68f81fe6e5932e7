import type { RootFolder } from "../../kit/fs/root-folder.ts";

/**
 * What a machine has made for itself at its first boot and is known by: its number (machine-id(5))
 * and the host keys of ssh. They are no part of a snapshot, which may go to other machines too, so
 * a new deployment takes them from the one before it. What it has itself stays.
 */

const MACHINE_ID = "etc/machine-id";
const SSH = "etc/ssh";
const HOST_KEY = /^ssh_host_.*_key(\.pub)?$/;

/** Copies what `to` has not of the machine's identity. Returns the paths. */
export function keepIdentity(from: RootFolder, to: RootFolder): readonly string[] {
  const kept: string[] = [];
  const id = from.readText(MACHINE_ID)?.trim() ?? "";
  if (isMachineId(id) && !isMachineId(to.readText(MACHINE_ID)?.trim() ?? "")) {
    to.writeFile(MACHINE_ID, `${id}\n`, { mode: 0o444 });
    kept.push(MACHINE_ID);
  }
  for (const name of from.names(SSH).filter((each) => HOST_KEY.test(each))) {
    const path = `${SSH}/${name}`;
    const status = from.status(path);
    const content = status?.kind === "file" ? from.read(path) : undefined;
    if (status === undefined || content === undefined || to.status(path) !== undefined) continue;
    to.makeFolder(SSH);
    to.writeFile(path, content, { mode: status.mode, uid: status.uid, gid: status.gid });
    kept.push(path);
  }
  return kept;
}

function isMachineId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
