import { expect, test } from "bun:test";
import { linkSync, mkdirSync, readFileSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type {
  FolderNode,
  Status,
  Subvolume,
  TreeNode,
} from "../../../../src/rastos/image/btrfs/model.ts";
import { planBtrfs, writeBtrfs } from "../../../../src/rastos/image/btrfs/write.ts";
import { OpenTarget } from "../../../../src/rastos/image/byte-target.ts";
import { readFolderTree } from "../../../../src/rastos/image/folder-tree.ts";
import { cannotMount } from "../../../support/loop-filesystem.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../../support/workspace.ts";

const MIB = 1024 ** 2;
const IDS = { filesystem: uuid(1), device: uuid(2), chunkTree: uuid(3) };
const PLAIN: Status = { permissions: 0o755, uid: 0, gid: 0, modified: 10n ** 18n, attributes: [] };
const noCheck = needsProgram("btrfs");
const noMount = firstReason(needsRoot(), cannotMount("btrfs"), noCheck);

testUnless(noCheck)("trees of any shape pass btrfs check, data included", async () => {
  await fc.assert(
    fc.asyncProperty(randomFolder(), async (tree) => {
      using work = createWorkspace();
      const image = await write(work, { ...top(), root: tree }, 200 * MIB);
      expectSound(image);
    }),
    { numRuns: 15 },
  );
});

testUnless(noCheck)("thousands of files make trees of several levels", async () => {
  using work = createWorkspace();
  const root = folder();
  for (let index = 0; index < 12_000; index++) {
    const bytes = Buffer.from(`${index} `.repeat(index % 300));
    root.entries.set(`file-${index}`, {
      kind: "file",
      status: PLAIN,
      content: { kind: "bytes", bytes },
    });
  }
  expectSound(await write(work, { ...top(), root }, 400 * MIB));
});

testUnless(noMount)(
  "the kernel reads what was put in, and writes to it",
  async () => {
    using work = createWorkspace();
    const source = fill(work);
    const tree = readFolderTree(source);
    const inner = { ...top(), id: 256, uuid: uuid(6), isReadOnly: true, root: tree };
    const twin = { ...inner, id: 257, uuid: uuid(7), parentUuid: uuid(6), isReadOnly: false };
    const root = folder([
      ["first", { kind: "subvolume", subvolume: inner }],
      ["twin", { kind: "subvolume", subvolume: twin }],
    ]);
    const image = await write(work, { ...top(), root }, 300 * MIB);
    const at = work.folder("mounted");
    run(["mount", "-o", "loop", image, at]);
    try {
      for (const name of ["first", "twin"]) {
        const special = ["--exclude=pipe", "--exclude=device"];
        run(["diff", "-r", "--no-dereference", ...special, source, join(at, name)]);
        const device = ["stat", "-c", "%t %T", join(at, name, "device")];
        expect(run(device)).toBe("12c 11170\n");
        const facts = ["find", ".", "-printf", "%p %y %m %U %G %n %s %T@ %l\n"];
        // Folders have another size on another file system.
        const listed = (cwd: string): string[] =>
          run(facts, cwd)
            .split("\n")
            .map((line) => line.replace(/^(\S+ d \S+ \S+ \S+) \S+ \S+/, "$1"))
            .sort();
        expect(listed(join(at, name))).toEqual(listed(source));
      }
      expect(
        run([
          "getfattr",
          "-n",
          "user.note",
          "--absolute-names",
          "--only-values",
          join(at, "first/plain"),
        ]),
      ).toBe("kept");
      expect(() => run(["touch", join(at, "first/new")])).toThrow("Read-only file system");
      run(["touch", join(at, "twin/new")]);
      run(["btrfs", "subvolume", "snapshot", join(at, "first"), join(at, "third")]);
      const list = run(["btrfs", "subvolume", "list", "-q", "-u", at]);
      expect(list).toContain(`parent_uuid ${uuid(6)} uuid ${uuid(7)} path twin`);
      run(["btrfs", "balance", "start", "--full-balance", at]);
      expect(run(["btrfs", "scrub", "start", "-B", at])).toContain("no errors found");
    } finally {
      run(["umount", at]);
    }
    expectSound(image);
  },
  60_000,
);

test("the same files give the same bytes", async () => {
  using work = createWorkspace();
  const subvolume = { ...top(), root: readFolderTree(fill(work)) };
  const first = readFileSync(await write(work, subvolume, 130 * MIB, "a"));
  const second = readFileSync(await write(work, subvolume, 130 * MIB, "b"));
  expect(Buffer.compare(first, second)).toBe(0);
});

test("what does not fit is refused with figures, before anything is written", () => {
  const bytes = new Uint8Array(150 * MIB);
  const root = folder([
    ["large", { kind: "file", status: PLAIN, content: { kind: "bytes", bytes } }],
  ]);
  expect(() => planBtrfs({ sizeBytes: 200 * MIB, top: { ...top(), root } })).toThrow(
    "Cannot make a file system of 200 MiB: what goes in needs 263 MiB",
  );
  expect(() => planBtrfs({ sizeBytes: 100 * MIB, top: { ...top(), root: folder() } })).toThrow(
    "Cannot make a file system of 100 MiB",
  );
});

test("a file that changes while it is read stops the image", async () => {
  using work = createWorkspace();
  const path = work.write("in/file", Buffer.alloc(100_000));
  const root = readFolderTree(work.at("in"));
  truncateSync(path, 50_000);
  expect(write(work, { ...top(), root }, 200 * MIB)).rejects.toThrow("it changes while it is read");
});

function fill(work: Workspace): string {
  const file = (name: string, size: number): string => {
    const bytes = Buffer.alloc(size, `${name} of ${size} bytes, `);
    return work.write(`in/${name}`, bytes, { mtimeSeconds: 1_600_000_000 });
  };
  for (const size of [0, 1, 2047, 2048, 2049, 4096, 4097, 1_000_000]) file(`size-${size}`, size);
  const plain = file("plain", 10);
  Bun.spawnSync(["setfattr", "-n", "user.note", "-v", "kept", plain]);
  for (let index = 0; index < 120; index++) linkSync(plain, work.at("in", `link-${index}`));
  mkdirSync(work.at("in/folder/below"), { recursive: true });
  linkSync(plain, work.at("in/folder/elsewhere"));
  symlinkSync("../plain", work.at("in/folder/symlink"));
  symlinkSync("x".repeat(4000), work.at("in/long"));
  file("n".repeat(255), 3);
  file("größe\nü", 5);
  Bun.spawnSync(["mkfifo", work.at("in/pipe")]);
  Bun.spawnSync(["mknod", work.at("in/device"), "c", "300", "70000"]);
  Bun.spawnSync(["chown", "-h", "1234:5678", work.at("in/size-1"), work.at("in/folder/symlink")]);
  Bun.spawnSync(["chmod", "4755", work.at("in/size-1")]);
  return work.at("in");
}

function top(): Omit<Subvolume, "root"> {
  return { id: 5, uuid: uuid(5), isReadOnly: false };
}

function folder(entries: readonly (readonly [string, TreeNode])[] = []): FolderNode {
  return { kind: "folder", status: PLAIN, entries: new Map(entries) };
}

async function write(
  work: Workspace,
  subvolume: Subvolume,
  sizeBytes: number,
  name = "image",
): Promise<string> {
  const path = work.at(name);
  using target = new OpenTarget(path, true);
  truncateSync(path, sizeBytes);
  await writeBtrfs(planBtrfs({ sizeBytes, top: subvolume }), { target, ids: IDS, label: "test" });
  return path;
}

/** `btrfs check` also of the data; a sum that is wrong is told of by words alone. */
function expectSound(image: string): void {
  const words = run(["btrfs", "check", "--check-data-csum", image]);
  expect(words).toContain("no error found");
  expect(words).not.toMatch(/mirror|mismatch|wrong|invalid/i);
}

function run(command: readonly string[], cwd = "/"): string {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, LC_ALL: "C" };
  const result = Bun.spawnSync([...command], { cwd, env, stdout: "pipe", stderr: "pipe" });
  const words = `${result.stdout}${result.stderr}`;
  if (!result.success) throw new Error(`${command.join(" ")}: ${words}`);
  return words;
}

function uuid(number: number): string {
  return `00000000-0000-4000-8000-00000000000${number}`;
}

function randomFolder(): fc.Arbitrary<FolderNode> {
  const names = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 20 }).map((name) => {
    const clean = name.replaceAll(/[/\0]/g, "_");
    return clean === "." || clean === ".." ? "dots" : clean;
  });
  const status = fc.record({
    permissions: fc.nat({ max: 0o7777 }),
    uid: fc.nat({ max: 4_000_000_000 }),
    gid: fc.nat({ max: 4_000_000_000 }),
    modified: fc.bigInt({ min: -(10n ** 18n), max: 4n * 10n ** 18n }),
    attributes: fc.constantFrom([], [{ name: "user.a", value: Buffer.from("b") }]),
  });
  const sizes = fc.oneof(fc.nat({ max: 5000 }), fc.nat({ max: 500_000 }));
  const file = fc.record({
    kind: fc.constant("file" as const),
    status,
    content: sizes.map((size) => ({ kind: "bytes" as const, bytes: Buffer.alloc(size, "data") })),
  });
  const symlink = fc.record({
    kind: fc.constant("symlink" as const),
    status,
    target: fc
      .string({ unit: "binary-ascii", minLength: 1, maxLength: 300 })
      .map((text) => `x${text.replaceAll("\0", "")}`),
  });
  const entries = (node: fc.Arbitrary<TreeNode>) =>
    fc
      .array(fc.tuple(names, node), { maxLength: 12 })
      .map((pairs) => new Map<string, TreeNode>(pairs));
  const { tree } = fc.letrec<{ tree: FolderNode; node: TreeNode }>((tie) => ({
    node: fc.oneof({ depthSize: "small", withCrossShrink: true }, file, symlink, tie("tree")),
    tree: fc.record({
      kind: fc.constant("folder" as const),
      status,
      entries: entries(tie("node")),
    }),
  }));
  return tree;
}
