import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { copyAt, HERE, makeFoldersAt, openFolderAt, writeNewFileAt } from "../../kit/fs/at.ts";
import { must } from "./faults.ts";
import type { Layout, MovedFile } from "./layout.ts";
import { bringOne, LINK_FLAG, type LinkMode, type LinkSource } from "./link.ts";

/** What of a layout is linked under the same paths; `skips` are targets that are left out. */
export function linkSource(layout: Layout, skips: ReadonlySet<string> | undefined): LinkSource {
  const { item, site } = layout;
  const { folder: tree, pathBytes, files } = item.wheel;
  if (skips === undefined) return { tree, site, pathBytes, flags: layout.flags };
  const flags = layout.flags.slice();
  for (const [index, { path }] of files.entries()) {
    if (skips.has(`${site}/${path}`)) flags[index] = LINK_FLAG.skip;
  }
  return { tree, site, pathBytes, flags };
}

/** The folder that layouts are staged in. */
export interface StagingFolder {
  /** Its descriptor. */
  readonly root: number;
  /** Folders in it that are there already, relative to it. */
  readonly made: Set<string>;
}

/**
 * Stages what of a layout is not linked under the same path: files of the data folder, and files
 * that are made here.
 *
 * @throws {Fault} E_IO, E_NO_SPACE or E_PRIVILEGE
 */
export function stageRest(
  layout: Layout,
  skips: ReadonlySet<string> | undefined,
  { root, made }: StagingFolder,
  mode: LinkMode,
): void {
  const { item, moved, written, record } = layout;
  const isWanted = (target: string): boolean => skips?.has(target) !== true;
  const enter = (target: string): void => {
    const folder = target.slice(0, Math.max(0, target.lastIndexOf("/")));
    if (folder === "" || made.has(folder)) return;
    must(makeFoldersAt(root, folder), "make", folder);
    made.add(folder);
  };
  if (moved.length > 0) {
    const tree = must(openFolderAt(HERE, item.wheel.folder), "open", item.wheel.folder);
    try {
      for (const file of moved) {
        if (!isWanted(file.target)) continue;
        enter(file.target);
        stageMoved(tree, root, file, mode);
      }
    } finally {
      sys.close(tree);
    }
  }
  for (const { target, content, executable } of written) {
    if (!isWanted(target)) continue;
    enter(target);
    const result = writeNewFileAt(root, target, content, { mode: executable ? 0o777 : 0o666 });
    must(result, "write", target);
  }
  enter(record.target);
  must(writeNewFileAt(root, record.target, record.content()), "write", record.target);
}

function stageMoved(tree: number, root: number, file: MovedFile, mode: LinkMode): void {
  const { source, target } = file;
  if (!file.needsMode) {
    const permissions = file.executable ? 0o777 : 0o666;
    const result = bringOne(mode, tree, source, root, target, permissions);
    if (result >= 0) return;
    // The way that works for other files need not work for this one: a copy always does.
    if (result !== -errno.EMLINK && result !== -errno.EXDEV && result !== -errno.EPERM) {
      must(result, "write", target);
    }
  }
  // The store's own file must not get permissions that its wheel did not give it: a copy.
  must(copyAt(tree, source, root, target, 0o777), "write", target);
}
