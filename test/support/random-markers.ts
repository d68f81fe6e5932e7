import fc from "fast-check";
import type { MarkerEnvironment } from "../../src/blast/pep/marker-environment.ts";

/** How many cases the differential tests draw. */
export const CASES = Number(process.env["PEP_CASES"] ?? 3000);
/** Which ones they draw. */
export const SEED = Number(process.env["PEP_SEED"] ?? 42);
/** Python is slow on a busy machine; a soak with more cases takes as much longer. */
export const LIMIT_MS = 60_000 + 20 * CASES;

const VERSION_NAMES = [
  ..."python_version python_full_version implementation_version platform_release".split(" "),
];
const TEXT_NAMES = [
  ..."os_name os.name sys_platform sys.platform platform_system platform_machine".split(" "),
  ..."platform.machine platform_version platform.version implementation_name".split(" "),
  ..."platform_python_implementation python_implementation".split(" "),
  ..."platform.python_implementation".split(" "),
];

const VERSIONS = [
  ..."3 3.6 3.7.2 3.8 3.8.0 3.8.1 3.9 3.10 3.11 3.12.1 3.13 3.13.0rc1 3.13.0a2 4 2.7".split(" "),
  ..."3.* 3.8.* 3.10.* 3.8.1.* 3.9.dev0 3.9.post1 3.12.1+local 1!3 v3.8 =3.8 6.18.0 10 20.0".split(
    " ",
  ),
  ...["3.8 3.9", "3.8,3.9", "3.8, 3.13.0rc1", " 3.8 ", "", "foo", "6.18.0-generic", "13.10"],
];
const TEXTS = [
  ..."linux darwin win32 cygwin posix nt java Linux Darwin Windows FreeBSD freebsd14".split(" "),
  ..."x86_64 AMD64 arm64 aarch64 CPython PyPy cpython pypy lin bsd 64 32 #1".split(" "),
  ...["linux darwin", "linux,win32", "x86_64 AMD64", "posix nt", "", "3.8", "os_name", "it's"],
];
const EXTRAS = ["a", "b", "Foo_Bar", "foo-bar", "a b", ""];

const version = fc.constantFrom(...VERSIONS);
const text = fc.constantFrom(...TEXTS);
const blank = fc.constantFrom("", " ", " ", "\t", "  ");
const spaced = fc.constantFrom(" ", " ", "\t ");

function quoted(value: string): string {
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

function comparison(
  names: readonly string[],
  values: fc.Arbitrary<string>,
  operators: readonly string[],
): fc.Arbitrary<string> {
  const name = fc.constantFrom(...names);
  const operator = fc.constantFrom(...operators);
  return fc
    .tuple(name, operator, values, blank, blank, fc.nat(5))
    .map(([left, sign, value, before, after, turn]) => {
      const word = /[a-z]/.test(sign) ? ` ${sign} ` : `${before}${sign}${after}`;
      return turn === 0 ? `${quoted(value)}${word}${left}` : `${left}${word}${quoted(value)}`;
    });
}

const ORDER = ["<", "<=", "==", "!=", ">=", ">"];

/** A comparison that has a meaning, or at least an answer. */
const meaningful: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: comparison(VERSION_NAMES, version, [...ORDER, "~=", "in", "not in"]) },
  { weight: 5, arbitrary: comparison(TEXT_NAMES, text, [...ORDER, "in", "not in"]) },
  { weight: 2, arbitrary: comparison(["extra"], fc.constantFrom(...EXTRAS), ["==", "!="]) },
);

/** Any comparison that the grammar lets through. */
const curious: fc.Arbitrary<string> = fc.oneof(
  comparison(VERSION_NAMES, version, ["===", "~="]),
  comparison(TEXT_NAMES, fc.oneof(text, version), [...ORDER, "===", "~=", "in", "not in"]),
  comparison(["extra"], fc.constantFrom(...EXTRAS), [...ORDER, "in", "not in", "~="]),
  comparison(["extras", "dependency_groups"], fc.constantFrom(...EXTRAS), ["in", "not in", "=="]),
  fc
    .tuple(fc.constantFrom(...VERSION_NAMES, ...TEXT_NAMES), fc.constantFrom(...TEXT_NAMES))
    .map(([left, right]) => `${left} == ${right}`),
  text.map((value) => `${quoted(value)} == 'os_name'`),
);

function combined(leaf: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.letrec<{ marker: string }>((tie) => ({
    marker: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 3, arbitrary: leaf },
      {
        weight: 2,
        arbitrary: fc
          .tuple(tie("marker"), spaced, fc.constantFrom("and", "or"), spaced, tie("marker"))
          .map((parts) => parts.join("")),
      },
      {
        weight: 2,
        arbitrary: fc.tuple(blank, tie("marker"), blank).map((parts) => `(${parts.join("")})`),
      },
    ),
  })).marker;
}

/** Markers of comparisons that have a meaning. */
export const meaningfulMarker = combined(meaningful);

/** Markers of anything that the grammar lets through. */
export const anyMarker = combined(fc.oneof({ weight: 2, arbitrary: meaningful }, curious));

/** Values that go together, as on a real machine. */
const PLATFORMS: readonly Partial<MarkerEnvironment>[] = [
  { os_name: "posix", sys_platform: "linux", platform_system: "Linux" },
  { os_name: "posix", sys_platform: "darwin", platform_system: "Darwin" },
  { os_name: "nt", sys_platform: "win32", platform_system: "Windows" },
  { os_name: "posix", sys_platform: "cygwin", platform_system: "CYGWIN_NT-10.0" },
  { os_name: "posix", sys_platform: "freebsd14", platform_system: "FreeBSD" },
];
const PYTHONS = [
  ..."2.7.18 3.6.15 3.7.2 3.8.0 3.8.1 3.9.0 3.9.19 3.10.13 3.11.7 3.12.1 3.12.1+".split(" "),
  ..."3.13.0a2 3.13.0rc1 3.13.0 3.14.0b4 4.0.0".split(" "),
];
const IMPLEMENTATIONS = [
  { platform_python_implementation: "CPython", implementation_name: "cpython" },
  { platform_python_implementation: "PyPy", implementation_name: "pypy" },
  { platform_python_implementation: "GraalVM", implementation_name: "graalpy" },
] as const;

/** Environments that can exist. */
export const environment: fc.Arbitrary<MarkerEnvironment> = fc
  .record({
    platform: fc.constantFrom(...PLATFORMS),
    python: fc.constantFrom(...PYTHONS),
    implementation: fc.constantFrom(...IMPLEMENTATIONS),
    implementation_version: fc.constantFrom("3.8.1", "3.12.1", "7.3.13"),
    platform_machine: fc.constantFrom("x86_64", "aarch64", "arm64", "AMD64", "i686", "riscv64"),
    platform_release: fc.constantFrom("6.18.0", "20.6.0", "10", "6.18.0-generic"),
    platform_version: fc.constantFrom("#1 SMP", "10.0.19041", "Darwin Kernel"),
  })
  .map(({ platform, python, implementation, ...rest }) => ({
    os_name: "",
    sys_platform: "",
    platform_system: "",
    ...platform,
    ...implementation,
    ...rest,
    python_full_version: python,
    python_version: python.split(".").slice(0, 2).join("."),
  }));
