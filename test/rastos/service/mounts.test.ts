import { expect, test } from "bun:test";
import { parseMountInfo, readMounts } from "../../../src/rastos/service/mounts.ts";

test("lines of mountinfo: paths with spaces, optional fields, read-only mounts", () => {
  const text = [
    "22 1 0:21 / / rw,relatime shared:1 - btrfs /dev/sda rw,subvol=/x",
    "23 22 0:22 / /with\\040space\\134 ro,nosuid - tmpfs none rw",
    "broken",
    "",
  ].join("\n");
  expect(parseMountInfo(text)).toEqual([
    { path: "/", type: "btrfs", isReadOnly: false },
    { path: "/with space\\", type: "tmpfs", isReadOnly: true },
  ]);
});

test("this machine has a root", () => {
  expect(readMounts().some(({ path }) => path === "/")).toBe(true);
});
