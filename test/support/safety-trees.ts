import { hex, makeTree, type TreeOperation } from "./tree.ts";

/** Trees with one of everything, small enough to be copied hundreds of times. */

const MIB = 1024 * 1024;
const OLD = "1600000000123456789";
const NEW = "1700000000987654321";

/** Folders of the source have times of their own, so that a forgotten one is seen. */
function folder(path: string, mode = 0o755): TreeOperation {
  return { op: "folder", path, mode, mtimeNs: "1650000000111222333" };
}

/** A source with small, large, sparse, linked, attributed and nested files. */
export const sourceTree: readonly TreeOperation[] = [
  { op: "file", path: "empty", text: "", mtimeNs: NEW },
  { op: "file", path: "same", text: "the same on both sides", mtimeNs: OLD },
  { op: "file", path: "changed", text: "new content, longer than before", mtimeNs: NEW },
  { op: "file", path: "attributes-only", text: "mode differs", mtimeNs: OLD, mode: 0o600 },
  {
    op: "file",
    path: "large-sparse",
    size: 9 * MIB,
    seed: 1,
    data: [
      [0, 65536],
      [4 * MIB, 8192],
      [9 * MIB - 4096, 4096],
    ],
    mtimeNs: NEW,
  },
  { op: "file", path: "large-dense", size: 8 * MIB + 12345, seed: 2, mtimeNs: NEW },
  { op: "link", path: "link", to: "changed", mtimeNs: NEW },
  { op: "link", path: "dangling", to: "nowhere/at/all", mtimeNs: NEW },
  { op: "file", path: "sub/one", text: "1", mtimeNs: NEW, xattrs: { "user.note": hex("kept") } },
  { op: "hard", path: "sub/other-name", to: "sub/one" },
  { op: "hard", path: "third-name", to: "sub/one" },
  { op: "file", path: "sub/deep/deeper/two", text: "2".repeat(5000), mtimeNs: NEW, mode: 0o444 },
  { op: "file", path: "sub/deep/three", size: 300_000, seed: 3, mtimeNs: NEW },
  { op: "folder", path: "sub/nothing", mode: 0o700, mtimeNs: OLD },
  { op: "file", path: "new-folder/four", text: "4", mtimeNs: NEW },
  { op: "file", path: "new-folder/below/five", text: "5", mtimeNs: NEW },
  folder("sub/deep/deeper", 0o750),
  folder("sub/deep"),
  folder("sub"),
  folder("new-folder/below"),
  folder("new-folder", 0o711),
  folder("."),
];

/** What an earlier run left in a target: some of it older, none of it unknown to the source. */
export const olderTree: readonly TreeOperation[] = [
  { op: "file", path: "same", text: "the same on both sides", mtimeNs: OLD },
  { op: "file", path: "changed", text: "old content", mtimeNs: OLD },
  { op: "file", path: "attributes-only", text: "mode differs", mtimeNs: OLD, mode: 0o644 },
  { op: "file", path: "large-dense", size: 8 * MIB + 99, seed: 9, mtimeNs: OLD },
  { op: "link", path: "link", to: "old", mtimeNs: OLD },
  { op: "file", path: "sub/one", text: "older one", mtimeNs: OLD },
  { op: "file", path: "sub/deep/three", size: 200_000, seed: 4, mtimeNs: OLD },
  folder("sub/deep"),
  folder("sub"),
  folder("."),
];

/** The same with entries that a mirror removes, and two of another type than in the source. */
export const straysTree: readonly TreeOperation[] = [
  ...olderTree,
  { op: "file", path: "stray", text: "to be deleted", mtimeNs: OLD },
  { op: "link", path: "stray-link", to: "stray", mtimeNs: OLD },
  { op: "file", path: "stray-folder/a", text: "a", mtimeNs: OLD },
  { op: "file", path: "stray-folder/b/c", text: "c", mtimeNs: OLD },
  { op: "file", path: "sub/stray", text: "to be deleted, too", mtimeNs: OLD },
  { op: "file", path: "empty/was-a-folder", text: "now a file", mtimeNs: OLD },
  { op: "file", path: "new-folder", text: "was a file", mtimeNs: OLD },
];

/** Makes a tree in an existing folder. */
export function makeSafetyTree(root: string, tree: readonly TreeOperation[]): void {
  makeTree(root, tree);
}
