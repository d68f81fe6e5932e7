import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { platformTags } from "../../../src/blast/pep/platform-tags.ts";
import type { InterpreterTags } from "../../../src/blast/pep/tag.ts";
import { supportedTags } from "../../../src/blast/pep/tag.ts";
import { TARGET_PLATFORMS, targetFacts } from "../../../src/blast/pep/target-platform.ts";
import { askPackaging } from "../../support/packaging-oracle.ts";
import { needsOraclePython, oraclePython } from "../../support/python-tools.ts";
import { describeUnless } from "../../support/skip.ts";

const TIMEOUT_MS = 60_000;

/** The library is asked as if it ran on each of these. */
const MACHINES: readonly Omit<InterpreterTags, "implementation" | "version">[] = [
  { platform: "linux-x86_64", pointerBits: 64, glibc: [2, 36] },
  { platform: "linux-x86_64", pointerBits: 64, glibc: [2, 17] },
  { platform: "linux-x86_64", pointerBits: 64, glibc: [2, 4] },
  { platform: "linux-x86_64", pointerBits: 64, glibc: [3, 2] },
  { platform: "linux-x86_64", pointerBits: 64, musl: [1, 2] },
  { platform: "linux-x86_64", pointerBits: 64 },
  { platform: "linux-x86_64", pointerBits: 32, glibc: [2, 31] },
  { platform: "linux-i686", pointerBits: 32, glibc: [2, 12], musl: [1, 1] },
  { platform: "linux-aarch64", pointerBits: 64, glibc: [2, 39] },
  { platform: "linux-aarch64", pointerBits: 32, glibc: [2, 31], hardFloat: true },
  { platform: "linux-aarch64", pointerBits: 32, glibc: [2, 31], hardFloat: false },
  { platform: "linux-armv7l", pointerBits: 32, glibc: [2, 31] },
  { platform: "linux-armv7l", pointerBits: 32, glibc: [2, 31], hardFloat: false },
  { platform: "linux-armv6l", pointerBits: 32, glibc: [2, 31], musl: [1, 2] },
  { platform: "linux-ppc64le", pointerBits: 64, glibc: [2, 28] },
  { platform: "linux-riscv64", pointerBits: 64, glibc: [2, 39] },
  { platform: "linux-mips", pointerBits: 32, glibc: [2, 28] },
  { platform: "win-amd64", pointerBits: 64 },
  { platform: "win32", pointerBits: 32 },
  { platform: "win-arm64", pointerBits: 64 },
  { platform: "freebsd-14.1-RELEASE-amd64", pointerBits: 64 },
  ...macs("arm64", [11, 0], [13, 6], [14, 0], [26, 1]),
  ...macs("x86_64", [10, 3], [10, 4], [10, 9], [10, 15], [11, 7], [14, 0]),
  ...macs("i386", [10, 5], [10, 14]),
  ...macs("ppc", [10, 4], [10, 7]),
  ...macs("ppc64", [10, 3], [10, 5], [10, 6]),
  { platform: "macosx-10.9-intel", pointerBits: 32, macos: [10, 9], macArch: "x86_64" },
  { platform: "macosx-10.4-fat", pointerBits: 32, macos: [10, 4], macArch: "ppc64" },
  { platform: "ios-13.0-arm64-iphoneos", pointerBits: 64 },
  { platform: "ios-15.4-x86_64-iphonesimulator", pointerBits: 64 },
  { platform: "ios-11.2-arm64-iphoneos", pointerBits: 64 },
  { platform: "android-24-arm64_v8a", pointerBits: 64 },
  { platform: "android-15-x86", pointerBits: 32 },
];

const PYTHONS: readonly Pick<
  InterpreterTags,
  "implementation" | "version" | "extSuffix" | "debug" | "freeThreaded" | "pymalloc"
>[] = [
  ...[3, 6, 7, 8, 9, 12, 14].map((minor) => cpython(minor)),
  { ...cpython(6), pymalloc: false },
  { ...cpython(7), debug: true, pymalloc: true },
  { ...cpython(12), debug: true },
  { ...cpython(12), freeThreaded: true },
  { ...cpython(13), freeThreaded: true },
  { ...cpython(15), freeThreaded: true, debug: true },
  generic("pypy", 10, ".pypy310-pp73-x86_64-linux-gnu.so"),
  generic("graalpy", 11, ".graalpy-38-native-x86_64-darwin.dylib"),
  generic("ironpython", 4, ".cp34-win_amd64.pyd"),
  generic("pyston", 8, ".pyston-23-x86_64-linux-gnu.so"),
  generic("rustpython", 12, ".cpython-312-x86_64-linux-gnu.so"),
];

function macs(macArch: string, ...versions: (readonly [number, number])[]) {
  return versions.map((macos) => {
    const platform = `macosx-${macos.join(".")}-${macArch}`;
    const pointerBits: 32 | 64 = macArch === "i386" || macArch === "ppc" ? 32 : 64;
    return { platform, pointerBits, macos, macArch };
  });
}

function cpython(minor: number) {
  return { implementation: "cpython", version: [3, minor] as const };
}

function generic(implementation: string, minor: number, extSuffix: string) {
  return { implementation, version: [3, minor] as const, extSuffix };
}

/** The oracle's own Python and those that are installed beside it. */
function installedPythons(oracle: string): string[] {
  const code = "import sys, packaging; print(sys.base_prefix); print(packaging.__path__[0])";
  const answer = Bun.spawnSync([oracle, "-I", "-c", code]).stdout.toString().trim().split("\n");
  const [prefix = "", library = ""] = answer;
  const siblings = readdirSync(dirname(prefix)).map((name) => join(dirname(prefix), name));
  return [oracle, ...siblings.map((folder) => join(folder, "bin/python3"))].flatMap((python) => {
    const script = resolve(import.meta.dir, "../../support/interpreter-tags.py");
    try {
      const done = Bun.spawnSync([python, "-I", "-S", script, dirname(library)]);
      // What is older than the library wants has nothing to say.
      return done.exitCode === 0 ? [done.stdout.toString()] : [];
    } catch {
      return [];
    }
  });
}

describeUnless(needsOraclePython())("as the packaging library", () => {
  test(
    "platforms of many machines",
    () => {
      const answers = askPackaging(MACHINES.map((facts) => ["platforms", facts]));
      for (const [index, facts] of MACHINES.entries()) {
        expect({ facts, tags: platformTags(facts) }).toEqual({
          facts,
          tags: answers[index] as string[],
        });
      }
    },
    TIMEOUT_MS,
  );

  test(
    "interpreters on many machines, in order",
    () => {
      const all = MACHINES.flatMap((facts) => PYTHONS.map((python) => ({ ...facts, ...python })));
      const answers = askPackaging(all.map((facts) => ["tags", facts]));
      for (const [index, facts] of all.entries()) {
        const expected = answers[index] as string[];
        const own = supportedTags(facts);
        if (own.list().join() === expected.join() && own.size === expected.length) continue;
        expect({ facts, tags: own.list() }).toEqual({ facts, tags: expected });
      }
      expect(answers.length).toBeGreaterThan(500);
    },
    TIMEOUT_MS,
  );

  test(
    "targets by name",
    () => {
      const facts = TARGET_PLATFORMS.map((name) => ({ ...targetFacts(name), ...cpython(12) }));
      const answers = askPackaging(facts.map((one) => ["tags", one]));
      expect(facts.map((one) => supportedTags(one).list())).toEqual(answers as string[][]);
    },
    TIMEOUT_MS,
  );

  test(
    "the interpreters of this machine",
    () => {
      const lines = installedPythons(oraclePython() ?? "");
      expect(lines.length).toBeGreaterThan(0);
      for (const line of lines) {
        const { facts, tags } = JSON.parse(line) as { facts: InterpreterTags; tags: string[] };
        expect(supportedTags(facts).list()).toEqual(tags);
      }
    },
    TIMEOUT_MS,
  );
});
