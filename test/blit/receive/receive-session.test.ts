import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { counter } from "../../../src/blit/engine/shared-state.ts";
import { ReceiveSession } from "../../../src/blit/receive/receive-session.ts";
import type { PassReport, SourceRoot } from "../../../src/blit/session/types.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { openModuleBase } from "../../support/module-base.ts";
import { sourceTree, straysTree } from "../../support/safety-trees.ts";
import { describeUnless, firstReason, needsRoot, testUnless } from "../../support/skip.ts";
import {
  type PassResult,
  plainOptions,
  StreamTransfer,
  type Transfer,
  transferOnce,
} from "../../support/stream-transfer.ts";
import {
  aclHex,
  describeTree,
  differences,
  hex,
  makeTree,
  sumTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

const MIB = 1024 * 1024;
const OLD = "1600000000123456789";
const NEW = "1700000000987654321";

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
});
afterEach(() => work[Symbol.dispose]());

function make(folder: string, tree: readonly TreeOperation[]): string {
  mkdirSync(work.at(folder), { recursive: true });
  makeTree(work.at(folder), tree);
  return work.at(folder);
}

function count(report: Pick<PassReport, "counts">, column: number): number {
  return report.counts[column] ?? 0;
}

function expectQuiet({ source, target }: PassResult): void {
  expect([...source.issues, ...target.issues]).toEqual([]);
}

function expectEqual(): void {
  expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
  expect(differences(work.at("a"), work.at("b"))).toBe("");
}

function contents(options: Partial<Transfer> = {}): Transfer {
  return { sources: [`${work.at("a")}/`], target: work.at("b"), ...options };
}

const ACL = aclHex([
  { tag: "owner", permissions: 7 },
  { tag: "group", permissions: 7 },
  { tag: "members", permissions: 7, id: 88 },
  { tag: "mask", permissions: 7 },
  { tag: "others", permissions: 0 },
]);

/** What the tree of the safety tests has not. */
const oddities: readonly TreeOperation[] = [
  { op: "file", path: "n\nl\xff/ \x01/-rf", text: "odd", mtimeNs: NEW },
  { op: "file", path: "\xc3\xbc".repeat(127), text: "long", mtimeNs: OLD, mode: 0o4711 },
  { op: "fifo", path: "fifo", mode: 0o600, mtimeNs: OLD },
  { op: "socket", path: "socket", mtimeNs: OLD },
  { op: "device", path: "null", kind: "char", major: 1, minor: 3, mode: 0o666 },
  { op: "file", path: "acl", text: "x", xattrs: { "system.posix_acl_access": ACL } },
  { op: "file", path: "owned", text: "x", uid: 1000, gid: 1001, mode: 0o6755, mtimeNs: OLD },
  { op: "folder", path: "closed", mode: 0o500, xattrs: { "user.x": hex("folder") } },
  { op: "link", path: "link-pair", to: "x", mtimeNs: NEW },
  { op: "hard", path: "closed/link-pair", to: "link-pair" },
  { op: "chain", path: "chain", depth: 30, width: 100 },
  { op: "folder", path: "inheriting", mode: 0o2775 },
  {
    op: "folder",
    path: "inheriting/acl",
    xattrs: { "system.posix_acl_default": ACL },
    mtimeNs: OLD,
  },
  { op: "file", path: "inheriting/acl/file", text: "no acl of its own", mode: 0o644 },
];

describeUnless(firstReason(treeToolsMissing(), needsRoot()))("a tree over streams", () => {
  for (const kind of ["tcp", "local", "encrypted"] as const) {
    test(`arrives with all that there is to an entry: ${kind}`, async () => {
      make("a", [...sourceTree, ...oddities]);
      const isEncrypted = kind === "encrypted";
      const how = { kind: kind === "local" ? kind : "tcp", isEncrypted, streams: 3 } as const;
      const result = await transferOnce(contents({ ...how, options: { specials: true } }));
      expectQuiet(result);
      expectEqual();
      expect(count(result.target, counter.failed)).toBe(0);
      const settled = describeTree(work.at("b"), "ctime", "inode");
      const again = await transferOnce(contents({ ...how, options: { specials: true } }));
      expectQuiet(again);
      expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(settled);
      expect(count(again.target, counter.files)).toBe(0);
    });
  }

  test("arrives below paths longer than the kernel takes", async () => {
    make("a", [{ op: "chain", path: "chain", depth: 60, width: 100 }]);
    expectQuiet(await transferOnce(contents()));
    expect(sumTree(work.at("b"))).toEqual(sumTree(work.at("a")));
  });

  test("is mirrored over one with other types and strays, in two passes", async () => {
    make("a", sourceTree);
    make("b", straysTree);
    await using open = await StreamTransfer.open(contents({ options: { command: "mirror" } }));
    const counted = await open.pass("count");
    expectQuiet(counted);
    const before = describeTree(work.at("b"), "ctime", "inode");
    expect(counted.target.deletable).toBe(10);
    const first = await open.pass("transfer", counted.target.deletable);
    expect(before).not.toEqual(describeTree(work.at("b"), "ctime", "inode"));
    expectQuiet(first);
    expect(first.target.needsAnotherPass).toBe(true);
    const second = await open.pass("transfer", 0);
    expectQuiet(second);
    expect(second.target.needsAnotherPass).toBe(false);
    expectEqual();
  });

  test("keeps what it would delete beyond what was agreed to", async () => {
    make("a", sourceTree);
    make("b", straysTree);
    await using open = await StreamTransfer.open(contents({ options: { command: "mirror" } }));
    const { target } = await open.pass("transfer", 3);
    expect(target.deletionsSkipped).toBe("10 entries are due now, 3 were agreed to");
    expect(existsSync(work.at("b/stray"))).toBe(true);
    expect(target.issues.map((issue) => issue.code)).toEqual(["E_CONFLICT", "E_CONFLICT"]);
  });

  test("is planned without any change", async () => {
    make("a", sourceTree);
    make("b", straysTree);
    const before = describeTree(work.at("b"), "ctime", "inode", "atime");
    const options = { command: "mirror", comparison: "checksum" } as const;
    await using open = await StreamTransfer.open(contents({ options, streams: 1 }));
    const { target } = await open.pass("plan");
    expect(describeTree(work.at("b"), "ctime", "inode", "atime")).toEqual(before);
    const lines = target.actions.map(({ action, path }) => `${action} ${path}`);
    expect(lines.toSorted()).toMatchInlineSnapshot(`
      [
        "attributes attributes-only",
        "copy empty",
        "copy large-sparse",
        "copy new-folder/below/five",
        "copy new-folder/four",
        "copy sub/deep/deeper/two",
        "copy sub/other-name",
        "copy third-name",
        "delete empty",
        "delete new-folder",
        "delete stray",
        "delete stray-folder",
        "delete stray-link",
        "delete sub/stray",
        "folder new-folder",
        "folder new-folder/below",
        "folder sub/deep/deeper",
        "folder sub/nothing",
        "link dangling",
        "link link",
        "replace changed",
        "replace large-dense",
        "replace sub/deep/three",
        "replace sub/one",
      ]
    `);
  });

  test("replaces what is kept in a backup folder", async () => {
    make("a", sourceTree);
    make("b", straysTree);
    mkdirSync(work.at("kept"));
    const options = { command: "mirror", backupDir: work.at("kept") } as const;
    await using open = await StreamTransfer.open(contents({ options }));
    while ((await open.pass()).target.needsAnotherPass) {
      // Until nothing stands in the way.
    }
    expectEqual();
    expect(readFileSync(work.at("kept/changed"), "utf8")).toBe("old content");
    expect(readFileSync(work.at("kept/stray-folder/b/c"), "utf8")).toBe("c");
  });

  test("is moved: the source keeps what has not arrived", async () => {
    make("a", [...sourceTree, { op: "file", path: "kept", text: "source", mtimeNs: NEW }]);
    make("b", [{ op: "file", path: "kept", text: "target!", mtimeNs: OLD }]);
    const options = { command: "move", ignoreExisting: true } as const;
    await using open = await StreamTransfer.open(contents({ options }));
    const { source, target } = await open.pass();
    expect(source.issues).toEqual([]);
    expect(target.issues.map(({ code, path }) => [code, path])).toEqual([["E_NOT_MOVED", "kept"]]);
    const settled = await open.pass("settle");
    expect(count(settled.source, counter.moved)).toBe(sourceTree.length - 7);
    expect(readdirSync(work.at("a"))).toEqual(["kept"]);
    expect(readFileSync(work.at("b/kept"), "utf8")).toBe("target!");
  });
});

describeUnless(firstReason(treeToolsMissing(), needsRoot()))("a confined target", () => {
  test("is filled by another user, closed folders and all", async () => {
    const ids = { uid: 65_534, gid: 65_534 };
    const tree: TreeOperation[] = [
      { op: "file", path: "closed/inner/file", text: "x", mtimeNs: OLD },
      { op: "file", path: "closed/inner/deeper/file", text: "y", mtimeNs: OLD },
      { op: "file", path: "file", text: "z", mode: 0o4755 },
      { op: "folder", path: "closed/inner/deeper", mode: 0o000, mtimeNs: OLD },
      { op: "folder", path: "closed/inner", mode: 0o300, mtimeNs: OLD },
      { op: "folder", path: "closed", mode: 0o500, mtimeNs: OLD },
    ];
    make("a", tree);
    make("module", [{ op: "folder", path: ".", ...ids }]);
    using opened = openModuleBase(work.at("module"));
    const targetBase = { ...opened, confine: { chroot: false, ...ids } };
    const options = { owner: false };
    expectQuiet(await transferOnce(contents({ targetBase, target: "new/b", options, streams: 2 })));
    const modes = (root: string) =>
      Object.entries(describeTree(work.at(root), "nodirtimes")).map(([path, entry]) => {
        return [path, entry.mode, entry.sha1, entry.type];
      });
    const wanted = modes("a").map((each) =>
      each[0] === "file" ? ["file", "0755", ...each.slice(2)] : each,
    );
    expect(modes("module/new/b")).toEqual(wanted);
    for (const entry of Object.values(describeTree(work.at("module")))) {
      expect([entry.uid, entry.gid]).toEqual([ids.uid, ids.gid]);
    }
  });
});

describe("entries over streams", () => {
  test("take the name that the target has, or go into it", async () => {
    work.write("one", "1");
    work.write("two", "2");
    work.folder("into");
    const to = async (sources: string[], target: string): Promise<void> => {
      const paths = sources.map((each) => work.at(each));
      expectQuiet(await transferOnce({ sources: paths, target: work.at(target), streams: 1 }));
    };
    await to(["one"], "other");
    expect(readFileSync(work.at("other"), "utf8")).toBe("1");
    await to(["one"], "into");
    expect(readFileSync(work.at("into/one"), "utf8")).toBe("1");
    await to(["one", "two"], "new/deep");
    expect(readdirSync(work.at("new/deep")).toSorted()).toEqual(["one", "two"]);
    await to(["into"], "new");
    expect(readFileSync(work.at("new/into/one"), "utf8")).toBe("1");
  });

  test("are compared as asked for", async () => {
    const seconds = { mtimeSeconds: 1_600_000_000 };
    work.write("a/file", "AAAA", seconds);
    work.write("b/file", "BBBB", seconds);
    const files = async (options: NonNullable<Transfer["options"]>): Promise<number> => {
      const { target } = await transferOnce(contents({ options, streams: 1 }));
      return count(target, counter.files);
    };
    expect(await files({ comparison: "time" })).toBe(0);
    expect(await files({ comparison: "size" })).toBe(0);
    expect(await files({ comparison: "checksum", ignoreExisting: true })).toBe(0);
    expect(await files({ comparison: "checksum" })).toBe(1);
    expect(await files({ comparison: "checksum" })).toBe(0);
    work.write("b/file", "newer", { mtimeSeconds: 1_600_000_009 });
    expect(await files({ update: true })).toBe(0);
    expect(await files({})).toBe(1);
    expect(readFileSync(work.at("b/file"), "utf8")).toBe("AAAA");
  });

  test("of one tree arrive whole, however many bring it at once", async () => {
    for (let i = 0; i < 300; i++) work.write(`a/${i % 5}/${i % 23}/${i}`, `${i}`.repeat(i % 50));
    work.folder("b");
    const all = await Promise.all([1, 2, 3].map(() => transferOnce(contents())));
    for (const { source, target } of all) expect([source.issues, target.issues]).toEqual([[], []]);
    expect(describeTree(work.at("b"), "nodirtimes")).toEqual(
      describeTree(work.at("a"), "nodirtimes"),
    );
  });

  test("never go through a symbolic link of the target", async () => {
    work.write("a/sub/file", "new");
    work.folder("b");
    work.write("outside/file", "safe");
    symlinkSync(work.at("outside"), work.at("b/sub"));
    const { target } = await transferOnce(contents());
    expect(target.issues.map(({ code, path }) => [code, path])).toEqual([["E_CONFLICT", "sub"]]);
    expect(readFileSync(work.at("outside/file"), "utf8")).toBe("safe");
    expect(lstatSync(work.at("b/sub")).isSymbolicLink()).toBe(true);
  });
});

describe("blocks of a base", () => {
  function bytes(seed: number): Buffer {
    const content = Buffer.alloc(12 * MIB);
    for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(at * seed, at);
    return content;
  }

  test("are not sent again", async () => {
    const content = bytes(7);
    work.write("b/file", content, { mtimeSeconds: 1_600_000_000 });
    content.write("changed", 6 * MIB);
    work.write("a/file", content);
    await using open = await StreamTransfer.open(contents({ streams: 1 }));
    expectQuiet(await open.pass());
    expect(readFileSync(work.at("b/file")).equals(content)).toBe(true);
    expect(readdirSync(work.at("b"))).toEqual(["file"]);
  });

  testUnless(cannotMount("btrfs"))("are shared where the file system can", async () => {
    using mount = mountFilesystem({ kind: "btrfs", sizeBytes: 256 * MIB });
    const content = bytes(13);
    work.write("a/file", content, { mtimeSeconds: 1_600_000_000 });
    const target = `${mount.path}/b`;
    expectQuiet(await transferOnce(contents({ target })));
    content.write("changed", 6 * MIB);
    work.write("a/file", Buffer.concat([content, Buffer.from("and longer")]));
    expectQuiet(await transferOnce(contents({ target })));
    expect(readFileSync(`${target}/file`).equals(readFileSync(work.at("a/file")))).toBe(true);
  });

  test("of a part that was received go on where it stopped", async () => {
    const content = bytes(11);
    work.write("a/file", content);
    await using open = await StreamTransfer.open(contents({ streams: 1 }));
    const part = `.blit-partial-${Bun.hash("file").toString(16).padStart(16, "0")}~`;
    work.write(`b/${part}`, content.subarray(0, 9 * MIB));
    expectQuiet(await open.pass());
    expect(readFileSync(work.at("b/file")).equals(content)).toBe(true);
    expect(readdirSync(work.at("b"))).toEqual(["file"]);
  });
});

describe("a receiving session refuses", () => {
  const root: SourceRoot = {
    index: 0,
    kind: "folder",
    name: "a",
    isContents: false,
    typed: "a",
  };

  async function refusal(request: {
    target: string;
    roots?: readonly SourceRoot[];
    command?: "copy" | "mirror";
  }): Promise<string> {
    using base = openModuleBase(work.folder("module"));
    const { target, roots = [root], command = "copy" } = request;
    const options = { ...plainOptions, command };
    try {
      const session = await ReceiveSession.open({ options, base, target, roots, streams: 1 });
      await session.close();
      return "";
    } catch (error) {
      return error instanceof Error && "code" in error ? String(error.code) : String(error);
    }
  }

  test("what leads out of its base", async () => {
    symlinkSync(work.path, work.at(work.folder("module") && "module/out"));
    expect(await refusal({ target: "" })).toBe("");
    expect(await refusal({ target: "sub/new" })).toBe("");
    expect(await refusal({ target: "../elsewhere" })).toBe("E_REFUSED");
    expect(await refusal({ target: "/etc" })).toBe("E_REFUSED");
    expect(await refusal({ target: "out/x" })).toBe("E_REFUSED");
  });

  test("names that are none", async () => {
    for (const name of ["..", ".", "", "a/b", "a\0"]) {
      expect(await refusal({ target: "", roots: [{ ...root, name }] })).toBe("E_INTEGRITY");
    }
  });

  test("to mirror onto /", async () => {
    const options = { ...plainOptions, command: "mirror" as const };
    const roots = [{ ...root, isContents: true }];
    const base = { fd: -100, resolve: 0 };
    const opening = ReceiveSession.open({ options, base, target: "/", roots, streams: 1 });
    await opening.then(
      () => expect.unreachable(),
      (error) => expect(error.code).toBe("E_REFUSED"),
    );
  });
});
