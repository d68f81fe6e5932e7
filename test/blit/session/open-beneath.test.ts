import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { AT, O } from "../../../ffi/abi/constants.ts";
import { RESOLVE } from "../../../ffi/abi/open-how.ts";
import { errno } from "../../../ffi/errno.ts";
import { Memory, writeCString } from "../../../ffi/mem.ts";
import { check, sys } from "../../../ffi/sys.ts";
import { freeBase, openBeneath, openFolderPath } from "../../../src/blit/session/open-beneath.ts";
import type { Base } from "../../../src/blit/session/types.ts";
import { walkBeneath } from "../../../src/blit/session/walk-beneath.ts";
import { openBelow } from "../../support/open-descriptors.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** Where a result leads, below the workspace; or its -errno. */
function place(fd: number): string | number {
  if (fd < 0) return fd;
  const path = readlinkSync(`/proc/self/fd/${fd}`);
  sys.close(fd);
  return path.slice(work.path.length + 1);
}

let work: Workspace;
let beneath: Base;
let inRoot: Base;

function openFolder(path: string): number {
  const memory = new Memory(8192);
  writeCString(memory.bytes, 0, path);
  return check(sys.openat(AT.FDCWD, memory.pointer, O.PATH | O.DIRECTORY | O.CLOEXEC, 0), "openat");
}

beforeAll(() => {
  work = createWorkspace();
  work.write("secret/key", "s");
  work.write("module/a/b/file", "f");
  work.write("module/top", "t");
  const link = (target: string, at: string): void => symlinkSync(target, work.at("module", at));
  link("a/b", "inside");
  link("../top", "a/up");
  link("../../secret", "a/out");
  link("../secret/key", "key");
  link("/a/b/file", "rooted");
  link(work.at("secret"), "absolute");
  link("loop", "loop");
  link("nowhere", "dangling");
  link("a/../a/./b/../up", "crooked");
  const fd = openFolder(work.at("module"));
  beneath = { fd, resolve: RESOLVE.BENEATH };
  inRoot = { fd, resolve: RESOLVE.IN_ROOT };
});

afterAll(() => {
  sys.close(beneath.fd);
  work[Symbol.dispose]();
});

type Open = (base: Base, path: string, flags: number, mode?: number) => number;
const ways: [string, Open][] = [
  ["openat2", openBeneath],
  [
    "the walk for old kernels",
    (base, path, flags, mode = 0) => walkBeneath(base, path || ".", flags | O.CLOEXEC, mode),
  ],
];

describe.each(ways)("%s", (way, open) => {
  const cases: [string, string | number, string | number][] = [
    ["", "module", "module"],
    ["top", "module/top", "module/top"],
    ["a/b/file", "module/a/b/file", "module/a/b/file"],
    ["./a//b/./file", "module/a/b/file", "module/a/b/file"],
    ["a/../top", "module/top", "module/top"],
    ["inside/file", "module/a/b/file", "module/a/b/file"],
    ["a/up", "module/top", "module/top"],
    ["crooked", "module/top", "module/top"],
    ["..", -errno.EXDEV, "module"],
    ["../secret/key", -errno.EXDEV, -errno.ENOENT],
    ["a/../../secret/key", -errno.EXDEV, -errno.ENOENT],
    ["a/out/key", -errno.EXDEV, -errno.ENOENT],
    ["key", -errno.EXDEV, -errno.ENOENT],
    ["rooted", -errno.EXDEV, "module/a/b/file"],
    ["absolute/key", -errno.EXDEV, -errno.ENOENT],
    ["/top", -errno.EXDEV, "module/top"],
    ["loop", -errno.ELOOP, -errno.ELOOP],
    ["dangling", -errno.ENOENT, -errno.ENOENT],
    ["top/more", -errno.ENOTDIR, -errno.ENOTDIR],
    ["top/", -errno.ENOTDIR, -errno.ENOTDIR],
    ["missing", -errno.ENOENT, -errno.ENOENT],
  ];
  test.each(cases)("%p", (path, wantedBeneath, wantedInRoot) => {
    expect(place(open(beneath, path, O.RDONLY))).toBe(wantedBeneath);
    expect(place(open(inRoot, path, O.RDONLY))).toBe(wantedInRoot);
  });

  test("links are refused where the base or the flags say so", () => {
    const strict: Base = { fd: beneath.fd, resolve: RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS };
    expect(place(open(strict, "inside/file", O.RDONLY))).toBe(-errno.ELOOP);
    expect(place(open(strict, "a/up", O.RDONLY))).toBe(-errno.ELOOP);
    expect(place(open(strict, "a/b", O.RDONLY))).toBe("module/a/b");
    expect(place(open(beneath, "a/up", O.RDONLY | O.NOFOLLOW))).toBe(-errno.ELOOP);
    expect(place(open(beneath, "inside", O.PATH | O.NOFOLLOW))).toBe("module/inside");
  });

  test("files are made inside only, and never through a link with O_EXCL", () => {
    const flags = O.WRONLY | O.CREAT | O.EXCL;
    expect(place(open(beneath, "a/out/new", flags, 0o600))).toBe(-errno.EXDEV);
    expect(place(open(beneath, "../new", flags, 0o600))).toBe(-errno.EXDEV);
    expect(place(open(beneath, "dangling", flags, 0o600))).toBe(-errno.EEXIST);
    const name = `new-${way.length}`;
    expect(place(open(beneath, `inside/${name}`, flags, 0o600))).toBe(`module/a/b/${name}`);
  });
});

test("what no path may be is refused before the kernel sees it", () => {
  expect(openBeneath(beneath, "top\0x", O.RDONLY)).toBe(-errno.EINVAL);
  expect(openBeneath(beneath, "a/".repeat(2048), O.RDONLY)).toBe(-errno.ENAMETOOLONG);
});

test("a free base opens what the user names", () => {
  expect(place(openBeneath(freeBase, work.at("secret/key"), O.RDONLY))).toBe("secret/key");
  expect(place(openBeneath(freeBase, work.at("module/key"), O.RDONLY))).toBe("secret/key");
});

describe("folder paths", () => {
  test("are made where that is asked for, inside only", () => {
    expect(openFolderPath(beneath, "n/e/w", {})).toBe(-errno.ENOENT);
    expect(place(openFolderPath(beneath, "n/e/w", { make: 0o755 }))).toBe("module/n/e/w");
    expect(place(openFolderPath(beneath, "inside/x/y", { make: 0o755 }))).toBe("module/a/b/x/y");
    expect(place(openFolderPath(beneath, "a/out/x", { make: 0o755 }))).toBe(-errno.EXDEV);
    expect(place(openFolderPath(beneath, "../x", { make: 0o755 }))).toBe(-errno.EXDEV);
    expect(place(openFolderPath(inRoot, "/a/r", { make: 0o755 }))).toBe("module/a/r");
    expect(place(openFolderPath(beneath, "dangling/x", { make: 0o755 }))).toBe(-errno.ENOENT);
    expect(place(openFolderPath(beneath, "top/x", { make: 0o755 }))).toBe(-errno.ENOTDIR);
    expect(place(openFolderPath(freeBase, work.at("p/q"), { make: 0o755 }))).toBe("p/q");
  });

  test("follow no link where that is asked for", () => {
    const options = { follow: false, make: 0o755 };
    expect(place(openFolderPath(beneath, "inside", options))).toBe(-errno.ELOOP);
    expect(place(openFolderPath(beneath, "inside/z", options))).toBe(-errno.ELOOP);
    expect(place(openFolderPath(beneath, "dangling", options))).toBe(-errno.ELOOP);
    expect(place(openFolderPath(beneath, "a/b", options))).toBe("module/a/b");
    expect(place(openFolderPath(freeBase, work.at("module/inside/z"), options))).toBe(-errno.ELOOP);
  });

  test("may be longer than the kernel takes at a time", () => {
    const path = Array.from({ length: 60 }, (_, i) => `${i}`.padEnd(100, "x")).join("/");
    const made = openFolderPath(beneath, path, { make: 0o755, follow: false });
    expect(made).toBeGreaterThan(0);
    expect(
      openBeneath({ fd: made, resolve: RESOLVE.BENEATH }, "f", O.CREAT | O.WRONLY, 0o644),
    ).toBeGreaterThan(0);
    const again = openFolderPath(beneath, path, {});
    expect(openBeneath({ fd: again, resolve: RESOLVE.BENEATH }, "f", O.RDONLY)).toBeGreaterThan(0);
    sys.close(made);
    sys.close(again);
  });
});

test("no descriptor is left behind", () => {
  mkdirSync(work.at("module/deep/er"), { recursive: true });
  writeFileSync(work.at("module/deep/er/file"), "");
  const before = openBelow(work.path);
  for (const [, open] of ways) {
    for (const path of ["deep/er/file", "deep/er/none", "a/out/key", "loop", "deep/../../x"]) {
      const fd = open(beneath, path, O.RDONLY);
      if (fd >= 0) sys.close(fd);
    }
  }
  for (const path of ["deep/er/1/2", "top/1/2", "a/out/1"]) {
    const fd = openFolderPath(beneath, path, { make: 0o700 });
    if (fd >= 0) sys.close(fd);
  }
  expect(openBelow(work.path)).toBe(before);
});

test("a kernel without openat2 is helped by the walk", () => {
  const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).pathname);
  const script = `
    const { openBeneath, openFolderPath } =
      await import(${module("../../../src/blit/session/open-beneath.ts")});
    const { openFile } = await import(${module("../../support/socket-pair.ts")});
    const fd = openFile(${JSON.stringify(work.at("module"))}, ${O.PATH | O.DIRECTORY});
    const base = { fd, resolve: ${RESOLVE.BENEATH} };
    const results = ["inside/file", "a/out/key", "top"].map((path) => openBeneath(base, path, 0));
    results.push(openFolderPath(base, "a/w/x", { make: 0o700 }));
    console.log(JSON.stringify(results.map((fd) => Math.min(fd, 0))));`;
  const child = Bun.spawnSync([process.execPath, "-e", script], {
    env: { ...process.env, TRIAD_FAULTS: "syscall:ENOSYS@1+" },
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(child.stderr.toString()).toBe("");
  expect(JSON.parse(child.stdout.toString())).toEqual([0, -errno.EXDEV, 0, 0]);
});
