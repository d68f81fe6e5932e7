import type { SUBVOL_INFO_LAYOUT, UTIL_INFO_LAYOUT } from "../abi/btrfs.ts";
import type { SubvolumeInfo } from "./calls.ts";

/** Reads either of the two structs that describe a subvolume. */
export function readInfo(
  buffer: ArrayBuffer,
  layout: typeof SUBVOL_INFO_LAYOUT | typeof UTIL_INFO_LAYOUT,
): SubvolumeInfo {
  const view = new DataView(buffer);
  const number = (offset: number): number => Number(view.getBigUint64(offset, true));
  return {
    id: number(layout.id),
    parentId: number(layout.parentId),
    isReadOnly: (number(layout.flags) & ROOT_SUBVOL_RDONLY) !== 0,
    uuid: uuidText(buffer, layout.uuid),
    parentUuid: uuidText(buffer, layout.parentUuid),
    receivedUuid: uuidText(buffer, layout.receivedUuid),
    generation: number(layout.generation),
    createdTransaction: number(layout.createdTransaction),
    createdMs: number(layout.createdSec) * 1000 + view.getUint32(layout.createdSec + 8, true) / 1e6,
  };
}

/** Both structs carry the flags of the root item, where read-only is bit 0 (btrfs_tree.h). */
const ROOT_SUBVOL_RDONLY = 1;

/** `8-4-4-4-12` in lower case; "" for zeros. */
function uuidText(buffer: ArrayBuffer, offset: number): string {
  const hex = Buffer.from(buffer, offset, 16).toString("hex");
  if (/^0+$/.test(hex)) return "";
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
