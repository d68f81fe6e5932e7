import { expect, test } from "bun:test";
import { buildsFor, parseBuildsJson, parseChecksums } from "../../../src/blast/python/builds.ts";

const SHA = "a".repeat(64);
const LINUX = { os: "linux", arch: "x86_64", libc: "gnu" };

/** An entry in the shape of uv's list, as of 2025. */
const ENTRY = {
  name: "cpython",
  arch: { family: "x86_64", variant: null },
  os: "linux",
  libc: "gnu",
  major: 3,
  minor: 13,
  patch: 1,
  prerelease: "",
  url: "https://example.org/x.tar.gz",
  sha256: SHA.toUpperCase(),
  variant: null,
  build: "20250106",
};

test("uv's list: variants, older shapes, and entries that are not understood", () => {
  const list = {
    "cpython-3.13.1-linux-x86_64-gnu": ENTRY,
    "cpython-3.13.1+freethreaded-linux-x86_64-gnu": { ...ENTRY, variant: "freethreaded" },
    "cpython-3.14.0a3-linux-x86_64-gnu": { ...ENTRY, minor: 14, patch: 0, prerelease: "a3" },
    "cpython-3.13.1-linux-x86_64_v3-gnu": {
      ...ENTRY,
      arch: { family: "x86_64", variant: "v3" },
    },
    "cpython-3.12.0-darwin-aarch64-none": { ...ENTRY, os: "darwin", arch: "aarch64", libc: "none" },
    "pypy-3.10.14-linux-x86_64-gnu": { ...ENTRY, name: "pypy", sha256: null },
    "../../evil": ENTRY,
    "odd-1": { ...ENTRY, url: 1 },
    "odd-2": null,
    "odd-3": { ...ENTRY, patch: "1" },
  };
  const builds = parseBuildsJson(JSON.stringify(list), "list");
  expect(builds.map(({ key }) => key)).toEqual(Object.keys(list).slice(0, 6));
  expect(builds[0]).toEqual({
    key: "cpython-3.13.1-linux-x86_64-gnu",
    ...{ implementation: "cpython", version: "3.13.1", freeThreaded: false, debug: false },
    ...{ os: "linux", arch: "x86_64", libc: "gnu", url: ENTRY.url, sha256: SHA, build: 20250106 },
  });
  expect(builds.map(({ version, freeThreaded }) => [version, freeThreaded]).slice(1, 3)).toEqual([
    ["3.13.1", true],
    ["3.14.0a3", false],
  ]);
  expect([builds[3]?.arch, builds[4]?.os, builds[5]?.sha256]).toEqual([
    "x86_64_v3",
    "macos",
    undefined,
  ]);
});

test.each(["", "null", "[", "3"])("%j is no list", (text) => {
  expect(() => parseBuildsJson(text, "there")).toThrow('list of Pythons at "there"');
});

test("the checksums of a release", () => {
  const names = [
    "cpython-3.12.8+20250106-x86_64-unknown-linux-gnu-install_only.tar.gz",
    "cpython-3.12.8+20250106-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz",
    "cpython-3.12.8+20250106-x86_64-unknown-linux-gnu-debug-full.tar.zst",
    "cpython-3.13.1+20250106-x86_64-unknown-linux-gnu-freethreaded+pgo+lto-full.tar.zst",
    "cpython-3.14.0a3+20250106-aarch64-apple-darwin-install_only.tar.gz",
    "cpython-3.12.8+20250106-x86_64-unknown-linux-musl-install_only.tar.gz",
    "SHA256SUMS",
  ];
  const text = names.map((name) => `${SHA}  ${name}`).join("\n");
  const builds = parseChecksums(`${text}\nnot a line\n`, "https://m/");
  expect(builds.map(({ key, url }) => [key, decodeURIComponent(url.slice(10))])).toEqual([
    ["cpython-3.12.8-linux-x86_64-gnu", names[1] ?? ""],
    ["cpython-3.13.1+freethreaded-linux-x86_64-gnu", names[3] ?? ""],
    ["cpython-3.14.0a3-macos-aarch64-none", names[4] ?? ""],
    ["cpython-3.12.8-linux-x86_64-musl", names[5] ?? ""],
  ]);
});

test("best first: the newest finished version, and of it the newest build", () => {
  const versions = ["3.9.20", "3.12.10", "3.12.9", "3.14.0rc1", "3.13.0"];
  const list = Object.fromEntries(
    versions.map((version) => {
      const [, minor = "", rest = ""] = version.split(".");
      const [, patch = "", prerelease = ""] = /^(\d+)(.*)$/.exec(rest) ?? [];
      const numbers = { minor: Number(minor), patch: Number(patch), prerelease };
      return [`cpython-${version}`, { ...ENTRY, ...numbers }];
    }),
  );
  const builds = parseBuildsJson(JSON.stringify(list), "list");
  expect(buildsFor(builds, LINUX).map(({ version }) => version)).toEqual([
    "3.13.0",
    "3.12.10",
    "3.12.9",
    "3.9.20",
    "3.14.0rc1",
  ]);
  expect(buildsFor(builds, { ...LINUX, libc: "musl" })).toEqual([]);
});
