import { expect } from "bun:test";
import * as abi from "../../../ffi/abi/constants.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

/** The C names of a group: a prefix, or what does not follow it. */
const groups: Record<string, { values: Record<string, number>; cName: (name: string) => string }> =
  {
    O: { values: abi.O, cName: (name) => `O_${name}` },
    AT: { values: abi.AT, cName: (name) => `AT_${name}` },
    S: { values: abi.S, cName: (name) => `S_${name}` },
    DT: { values: abi.DT, cName: (name) => `DT_${name}` },
    STATX: { values: abi.STATX, cName: (name) => `STATX_${name}` },
    SEEK: { values: abi.SEEK, cName: (name) => `SEEK_${name}` },
    IOCTL: {
      values: abi.IOCTL,
      cName: (name) => (name.startsWith("FS_") ? name.replace("FS_", "FS_IOC_") : name),
    },
    RENAME: { values: abi.RENAME, cName: (name) => `RENAME_${name}` },
    FALLOC: { values: abi.FALLOC, cName: (name) => `FALLOC_FL_${name}` },
    FADV: { values: abi.FADV, cName: (name) => `POSIX_FADV_${name}` },
    UTIME: { values: abi.UTIME, cName: (name) => `UTIME_${name}` },
    MMAP: {
      values: abi.MMAP,
      cName: (name) => (name.startsWith("PROT_") ? name : `MAP_${name}`),
    },
    MADV: { values: abi.MADV, cName: (name) => `MADV_${name}` },
    FCNTL: { values: abi.FCNTL, cName: (name) => `F_${name}` },
    SPLICE: { values: abi.SPLICE, cName: (name) => `SPLICE_F_${name}` },
    LOCK: { values: abi.LOCK, cName: (name) => `LOCK_${name}` },
    RLIMIT: { values: abi.RLIMIT, cName: (name) => `RLIMIT_${name}` },
  };

const headers = [
  "fcntl.h",
  "sys/file.h",
  "sys/stat.h",
  "sys/mman.h",
  "sys/resource.h",
  "dirent.h",
  "linux/fs.h",
  "linux/falloc.h",
];

const magicNames: Readonly<Record<string, string>> = {
  ext4: "EXT4_SUPER_MAGIC",
  btrfs: "BTRFS_SUPER_MAGIC",
  xfs: "XFS_SUPER_MAGIC",
  tmpfs: "TMPFS_MAGIC",
  vfat: "MSDOS_SUPER_MAGIC",
  exfat: "EXFAT_SUPER_MAGIC",
  nfs: "NFS_SUPER_MAGIC",
  cifs: "CIFS_SUPER_MAGIC",
  smb2: "SMB2_SUPER_MAGIC",
  f2fs: "F2FS_SUPER_MAGIC",
  overlay: "OVERLAYFS_SUPER_MAGIC",
  fuse: "FUSE_SUPER_MAGIC",
};

const testInC = testUnless(needsProgram("cc"));

testInC("every constant has the value of the C headers", () => {
  const expressions: Record<string, string> = {};
  const ours: Record<string, number> = {};
  for (const [group, { values, cName }] of Object.entries(groups)) {
    for (const [name, value] of Object.entries(values)) {
      expressions[`${group}.${name}`] = cName(name);
      ours[`${group}.${name}`] = value;
    }
  }
  expressions["FS_CASEFOLD_FL"] = "FS_CASEFOLD_FL";
  ours["FS_CASEFOLD_FL"] = abi.FS_CASEFOLD_FL;
  expect(ours).toEqual(valuesInC(headers, expressions));
});

testInC("every group of constants is checked", () => {
  const checked = [...Object.keys(groups), "FS_CASEFOLD_FL", "FS_MAGIC"];
  expect(Object.keys(abi).sort()).toEqual(checked.sort());
});

testInC("file systems have the magic numbers of linux/magic.h", () => {
  const theirs = valuesInC(["linux/magic.h"], magicNames);
  const ours = Object.fromEntries(
    Object.entries(abi.FS_MAGIC).map(([magic, name]) => [name, Number(magic)]),
  );
  for (const [name, magic] of Object.entries(theirs))
    expect([name, ours[name]]).toEqual([name, magic]);
});
