import { describe, expect, test } from "bun:test";
import { findMount, pathInMount } from "../../../src/blit/engine/mount-path.ts";

const mountInfo = [
  "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw",
  "40 22 254:1 /srv/data /mnt/here rw,relatime - ext4 /dev/vda1 rw",
  "41 22 0:30 /@home /home rw - btrfs /dev/vdb rw",
  "42 22 254:1 /with\\040blank\\011tab /mnt/odd\\134name rw - ext4 /dev/vda1 rw",
].join("\n");

describe("paths within a file system", () => {
  const cases: [number, string, string | undefined][] = [
    [22, "/", "/"],
    [22, "/etc/passwd", "/etc/passwd"],
    [40, "/mnt/here", "/srv/data"],
    [40, "/mnt/here/a/b", "/srv/data/a/b"],
    [40, "/mnt/hereafter", undefined],
    [41, "/home/user", "/@home/user"],
    [42, "/mnt/odd\\name/x", "/with blank\ttab/x"],
  ];
  for (const [id, path, inside] of cases) {
    test(`${id} ${path}`, () => {
      const mount = findMount(mountInfo, id);
      expect(mount && pathInMount(mount, path)).toBe(inside);
    });
  }
  test("an unknown mount has none", () => expect(findMount(mountInfo, 99)).toBeUndefined());
});

test("this machine's own table is understood", async () => {
  const text = await Bun.file("/proc/self/mountinfo").text();
  const ids = text.split("\n").map((line) => Number(line.split(" ")[0]));
  expect(ids.some((id) => findMount(text, id)?.point === "/")).toBe(true);
});
