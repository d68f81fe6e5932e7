import { expect } from "bun:test";
import * as abi from "../../../ffi/abi/btrfs.ts";
import { valuesInC } from "../../support/c-values.ts";
import { firstReason, needsProgram, testUnless } from "../../support/skip.ts";

const reason = firstReason(
  needsProgram("cc"),
  hasHeader("linux/btrfs_tree.h"),
  hasHeader("btrfsutil.h"),
);

const requests: Readonly<Record<keyof typeof abi.BTRFS_IOCTL, string>> = {
  SNAP_CREATE_V2: "BTRFS_IOC_SNAP_CREATE_V2",
  SUBVOL_CREATE_V2: "BTRFS_IOC_SUBVOL_CREATE_V2",
  SNAP_DESTROY: "BTRFS_IOC_SNAP_DESTROY",
  SUBVOL_GETFLAGS: "BTRFS_IOC_SUBVOL_GETFLAGS",
  SUBVOL_SETFLAGS: "BTRFS_IOC_SUBVOL_SETFLAGS",
  SYNC: "BTRFS_IOC_SYNC",
  GET_SUBVOL_INFO: "BTRFS_IOC_GET_SUBVOL_INFO",
  FS_INFO: "BTRFS_IOC_FS_INFO",
  TREE_SEARCH_V2: "BTRFS_IOC_TREE_SEARCH_V2",
  INO_PATHS: "BTRFS_IOC_INO_PATHS",
  FIEMAP: "FS_IOC_FIEMAP",
};

/** Each of our layouts: the C struct, and its fields by our names. */
const structs: readonly {
  readonly layout: Readonly<Record<string, number>>;
  readonly name: string;
  readonly fields: Readonly<Record<string, string>>;
}[] = [
  {
    layout: abi.VOL_ARGS_V2_LAYOUT,
    name: "btrfs_ioctl_vol_args_v2",
    fields: { fd: "fd", flags: "flags", name: "name" },
  },
  {
    layout: abi.VOL_ARGS_LAYOUT,
    name: "btrfs_ioctl_vol_args",
    fields: { fd: "fd", name: "name" },
  },
  {
    layout: abi.SUBVOL_INFO_LAYOUT,
    name: "btrfs_ioctl_get_subvol_info_args",
    fields: {
      id: "treeid",
      parentId: "parent_id",
      generation: "generation",
      flags: "flags",
      uuid: "uuid",
      parentUuid: "parent_uuid",
      receivedUuid: "received_uuid",
      createdTransaction: "otransid",
      createdSec: "otime",
    },
  },
  {
    layout: abi.FS_INFO_LAYOUT,
    name: "btrfs_ioctl_fs_info_args",
    fields: { uuid: "fsid" },
  },
  {
    layout: abi.UTIL_INFO_LAYOUT,
    name: "btrfs_util_subvolume_info",
    fields: {
      id: "id",
      parentId: "parent_id",
      generation: "generation",
      flags: "flags",
      uuid: "uuid",
      parentUuid: "parent_uuid",
      receivedUuid: "received_uuid",
      createdTransaction: "otransid",
      createdSec: "otime",
    },
  },
  {
    layout: abi.SEARCH_ARGS_LAYOUT,
    name: "btrfs_ioctl_search_args_v2",
    fields: {
      treeId: "key.tree_id",
      minObject: "key.min_objectid",
      maxObject: "key.max_objectid",
      minOffset: "key.min_offset",
      maxOffset: "key.max_offset",
      minTransaction: "key.min_transid",
      maxTransaction: "key.max_transid",
      minType: "key.min_type",
      maxType: "key.max_type",
      itemCount: "key.nr_items",
      bufferSize: "buf_size",
      buffer: "buf",
    },
  },
  {
    layout: abi.SEARCH_HEADER_LAYOUT,
    name: "btrfs_ioctl_search_header",
    fields: { object: "objectid", offset: "offset", type: "type", length: "len" },
  },
  {
    layout: abi.INODE_ITEM_LAYOUT,
    name: "btrfs_inode_item",
    fields: { transaction: "transid" },
  },
  {
    layout: abi.INO_PATHS_LAYOUT,
    name: "btrfs_ioctl_ino_path_args",
    fields: { inode: "inum", bufferSize: "size", buffer: "fspath" },
  },
  {
    layout: abi.DATA_CONTAINER_LAYOUT,
    name: "btrfs_data_container",
    fields: { bytesMissing: "bytes_missing", count: "elem_cnt", values: "val" },
  },
  {
    layout: abi.FIEMAP_LAYOUT,
    name: "fiemap",
    fields: {
      start: "fm_start",
      length: "fm_length",
      flags: "fm_flags",
      mapped: "fm_mapped_extents",
      room: "fm_extent_count",
      extents: "fm_extents",
    },
  },
  {
    layout: abi.FIEMAP_EXTENT_LAYOUT,
    name: "fiemap_extent",
    fields: {
      logical: "fe_logical",
      physical: "fe_physical",
      length: "fe_length",
      flags: "fe_flags",
    },
  },
];

const constants: Readonly<Record<string, number>> = {
  BTRFS_SUBVOL_RDONLY: abi.SUBVOL_RDONLY,
  BTRFS_FIRST_FREE_OBJECTID: abi.SUBVOLUME_INODE,
  BTRFS_FS_TREE_OBJECTID: abi.TOP_LEVEL_ID,
  BTRFS_INODE_ITEM_KEY: abi.INODE_ITEM_KEY,
  FIEMAP_EXTENT_LAST: abi.FIEMAP_EXTENT.LAST,
  FIEMAP_EXTENT_UNKNOWN: abi.FIEMAP_EXTENT.UNKNOWN,
  FIEMAP_EXTENT_DELALLOC: abi.FIEMAP_EXTENT.DELALLOC,
  FIEMAP_EXTENT_DATA_INLINE: abi.FIEMAP_EXTENT.DATA_INLINE,
  FIEMAP_EXTENT_SHARED: abi.FIEMAP_EXTENT.SHARED,
};

testUnless(reason)("requests, structs and constants of btrfs are the C compiler's", () => {
  const wanted: Record<string, string> = {};
  const ours: Record<string, number> = {};
  const add = (label: string, expression: string, value: number | undefined): void => {
    wanted[label] = expression;
    ours[label] = value ?? Number.NaN;
  };
  for (const [name, expression] of Object.entries(requests)) {
    add(name, expression, abi.BTRFS_IOCTL[name as keyof typeof requests]);
  }
  for (const [name, value] of Object.entries(constants)) add(name, name, value);
  for (const { layout, name, fields } of structs) {
    for (const [field, value] of Object.entries(layout)) {
      const expression =
        field === "size" && !("size" in fields)
          ? `sizeof(struct ${name})`
          : `offsetof(struct ${name}, ${fields[field]})`;
      add(`${name}.${field}`, expression, value);
    }
  }
  const headers = ["linux/btrfs.h", "linux/btrfs_tree.h", "linux/fs.h", "linux/fiemap.h"];
  expect(ours).toEqual(valuesInC([...headers, "btrfsutil.h"], wanted));
});

function hasHeader(name: string): string | undefined {
  const probe = Bun.spawnSync(["cc", "-E", "-include", name, "-x", "c", "/dev/null"], {
    stdout: "ignore",
    stderr: "ignore",
  });
  return probe.success ? undefined : `needs the header ${name}`;
}
