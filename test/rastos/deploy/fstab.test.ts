import { expect, test } from "bun:test";
import { formatFstab, PERSISTENT_SUBVOLUMES } from "../../../src/rastos/deploy/fstab.ts";

const content = {
  uuid: "1-2",
  subvolume: ".snapshots/deploy/deploy-0-1",
  persistent: PERSISTENT_SUBVOLUMES.filter(({ name }) => name === "home" || name === "log"),
  espId: "1234-ABCD",
};
const old = "# mine\n/dev/sda1 / ext4 defaults 0 1\n/dev/sdb none swap\nUUID=9 /home xfs\n\n";

test("has the shared subvolumes and the boot partition, and keeps other places", () => {
  const text = formatFstab(old, content);
  expect(text.split("\n").slice(1)).toEqual([
    "UUID=1-2 / btrfs rw,noatime,subvol=.snapshots/deploy/deploy-0-1 0 0",
    "UUID=1-2 /home btrfs rw,noatime,subvol=home 0 0",
    "UUID=1-2 /var/log btrfs rw,noatime,subvol=log 0 0",
    "UUID=1234-ABCD /efi vfat rw,noatime,umask=0077,nofail 0 2",
    "# End of the lines that rastos wrote.",
    "# mine",
    "/dev/sdb none swap",
    "",
  ]);
});

test("written again it is the same, and another deployment has only its own lines", () => {
  const once = formatFstab(old, content);
  expect(formatFstab(once, content)).toBe(once);
  const other = formatFstab(once, { ...content, subvolume: "other", persistent: [] });
  expect(other).not.toContain("deploy-0-1");
  expect(other).not.toContain("subvol=home");
  expect(other).toContain("/dev/sdb none swap");
});

test("a boot partition that is not known has no line", () => {
  expect(formatFstab("", { ...content, espId: undefined })).not.toContain("vfat");
});
