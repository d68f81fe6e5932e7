import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import fc from "fast-check";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { parseSourceInfo } from "../../../src/rastos/aur/srcinfo.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const SPLIT = `# Generated
pkgbase = tool
	pkgdesc = A tool
	pkgver = 1.2
	pkgrel = 3
	epoch = 2
	arch = x86_64
	arch = aarch64
	makedepends = make
	makedepends_x86_64 = nasm
	makedepends_aarch64 = clang
	checkdepends = bats
	depends = glibc
	depends = zlib>=1.3
	provides = tool-api=1
	source = https://example.org/a=b.tar.gz
	validpgpkeys = ABCD

pkgname = tool
	depends_x86_64 = libx86

pkgname = tool-docs
	pkgdesc = Its manual
	depends = 
	provides = manual
`;

test("split packages, architectures, emptied lists, values with equals signs", () => {
  const info = parseSourceInfo(SPLIT, "x86_64", "x");
  expect(info).toMatchObject({
    base: "tool",
    version: "2:1.2-3",
    architectures: ["x86_64", "aarch64"],
    makedepends: ["make", "nasm"],
    checkdepends: ["bats"],
    sources: ["https://example.org/a=b.tar.gz"],
    validPgpKeys: ["ABCD"],
  });
  expect(info.packages).toMatchObject([
    {
      name: "tool",
      description: "A tool",
      depends: ["glibc", "zlib>=1.3", "libx86"],
      provides: ["tool-api=1"],
    },
    { name: "tool-docs", description: "Its manual", depends: [], provides: ["manual"] },
  ]);
  expect(parseSourceInfo(SPLIT, "aarch64", "x").makedepends).toEqual(["make", "clang"]);
});

test.each([
  ["", "it names no package base"],
  ["pkgbase = a\n\tpkgver = 1\n\tpkgrel = 1\n", "it names no package"],
  ["pkgname = a\n", "a package base stands first"],
  ["\tpkgver = 1\n", "a package base stands first"],
  ["pkgbase = a\npkgbase = b\n", "a package base stands first"],
  ["pkgbase = ../../etc\n", "is no name of a package"],
  ["pkgbase = -rf\n", "is no name of a package"],
  ["pkgbase = a\nrubbish\n", "the line is no field"],
  ["pkgbase = a\npkgname = a\n", "it has no pkgver"],
])("%p: %s", (text, message) => {
  expect(() => parseSourceInfo(text, "x86_64", "x")).toThrow(message);
});

test("whatever stands there: a description or a fault", () => {
  const word = fc.constantFrom(
    ...["pkgbase", "pkgname", "pkgver", "pkgrel", "depends", "depends_x86_64", "epoch", "arch"],
  );
  const line = fc.oneof(
    fc.tuple(word, fc.string()).map(([name, value]) => `${name} = ${value}`),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        const info = parseSourceInfo(lines.join("\n"), "x86_64", "x");
        for (const { name } of info.packages) expect(name).toMatch(/^[A-Za-z0-9@_+]/);
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
    }),
  );
});

testUnless(firstReason(needsRoot(), needsProgram("makepkg", "setpriv")))(
  "reads what makepkg writes",
  () => {
    using work = createWorkspace();
    chmodSync(work.path, 0o777);
    work.write(
      "PKGBUILD",
      `pkgbase=tool
pkgname=(tool tool-docs)
pkgver=1.2
pkgrel=3
epoch=2
pkgdesc='A "tool" = for tests'
arch=(x86_64)
makedepends=(make)
makedepends_x86_64=(nasm)
depends=(glibc 'zlib>=1.3')
source=(https://example.org/a.tar.gz)
sha256sums=(SKIP)
package_tool() { :; }
package_tool-docs() { pkgdesc='Its manual'; depends=(); }
`,
    );
    const user = ["--reuid=60900", "--regid=60900", "--clear-groups", "--"];
    const made = Bun.spawnSync(["setpriv", ...user, "makepkg", "--printsrcinfo"], {
      cwd: work.path,
      env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" },
    });
    const info = parseSourceInfo(made.stdout.toString(), "x86_64", "x");
    expect(info).toMatchObject({
      base: "tool",
      version: "2:1.2-3",
      makedepends: ["make", "nasm"],
      packages: [
        { name: "tool", description: 'A "tool" = for tests', depends: ["glibc", "zlib>=1.3"] },
        { name: "tool-docs", description: "Its manual", depends: [] },
      ],
    });
  },
  60_000,
);
