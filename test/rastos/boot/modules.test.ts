import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { closeModules, moduleName } from "../../../src/rastos/boot/modules.ts";

const index = {
  dependencies: [
    "kernel/fs/btrfs/btrfs.ko.xz: kernel/lib/libcrc32c.ko.xz kernel/crypto/xor.ko.xz",
    "kernel/lib/libcrc32c.ko.xz:",
    "kernel/crypto/xor.ko.xz:",
    "kernel/crypto/crc32c_generic.ko.xz:",
    "kernel/crypto/crc32c-intel.ko.xz:",
    "kernel/drivers/virtio/virtio_pci.ko: kernel/drivers/virtio/virtio.ko",
    "kernel/drivers/virtio/virtio.ko:",
    "",
  ].join("\n"),
  builtin: "kernel/fs/nls/nls_cp437.ko\n",
  soft: "# comment\nsoftdep libcrc32c pre: crc32c post: xor\n",
  aliases: "alias crc32c crc32c_intel\nalias crc32c crc32c_generic\nalias pci:v* virtio_pci\n",
};

describe("the modules that are needed", () => {
  test("come with what they need, each after it", () => {
    const { files, missing } = closeModules(index, ["btrfs", "virtio-pci", "nls_cp437"]);
    expect(missing).toEqual([]);
    expect(files.map(moduleName)).toEqual([
      "xor",
      "crc32c_generic",
      "crc32c_intel",
      "libcrc32c",
      "btrfs",
      "virtio",
      "virtio_pci",
    ]);
  });

  test("those that the kernel has not are named", () => {
    expect(closeModules(index, ["nvme", "xor"]).missing).toEqual(["nvme"]);
  });

  test("rings of dependencies end", () => {
    const ring = { ...index, dependencies: "a.ko: b.ko\nb.ko: a.ko\n", soft: "softdep a pre: b" };
    expect(closeModules(ring, ["a"]).files).toEqual(["b.ko", "a.ko"]);
  });

  test("whatever the graph, nothing is loaded before what it needs", () => {
    const graph = fc.array(fc.array(fc.nat(19), { maxLength: 4 }), { maxLength: 20 });
    fc.assert(
      fc.property(graph, (edges) => {
        const needs = edges.map((list, at) => [...new Set(list)].filter((one) => one < at));
        const lines = needs.map(
          (list, at) => `m${at}.ko: ${list.map((n) => `m${n}.ko`).join(" ")}`,
        );
        const names = needs.map((_, at) => `m${at}`);
        const closed = closeModules({ ...index, dependencies: lines.join("\n") }, names);
        expect(closed.files.length).toBe(needs.length);
        for (const [at, list] of needs.entries()) {
          for (const one of list) {
            expect(closed.files.indexOf(`m${one}.ko`)).toBeLessThan(
              closed.files.indexOf(`m${at}.ko`),
            );
          }
        }
      }),
    );
  });
});
