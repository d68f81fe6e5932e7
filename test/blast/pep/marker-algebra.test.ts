import { describe, expect, test } from "bun:test";
import { parseMarker } from "../../../src/blast/pep/marker.ts";
import { MarkerSet, pythonRangeOf } from "../../../src/blast/pep/marker-algebra.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";

function set(text: string): MarkerSet {
  return MarkerSet.of(parseMarker(text));
}

function python(specifiers: string): MarkerSet {
  return MarkerSet.ofPython(parseSpecifierSet(specifiers).toRange());
}

/** A marker, and its short text where that is another one. */
const TEXTS: readonly (readonly [marker: string, text?: string])[] = [
  ["python_version >= '3.8' and sys_platform == 'win32'"],
  ["os_name == 'posix'"],
  ["os_name=='nt'", "sys_platform == 'win32'"],
  ["platform_system=='Windows'", "sys_platform == 'win32'"],
  ["platform_system != 'Linux'", "sys_platform != 'linux'"],
  ["implementation_name == 'cpython'", "platform_python_implementation == 'CPython'"],
  ["python_version < '3.8' or sys_platform == 'win32'"],
  ["python_version != '3.9'"],
  ["python_version == '3.8.*'", "python_version == '3.8'"],
  ["python_version == '3.*'"],
  ["python_version >= '3'"],
  ["python_version ~= '3.6'", "python_version >= '3.6' and python_version < '4'"],
  ["python_version >= '3.6.2'", "python_version >= '3.7'"],
  ["python_version in '3.8 3.9'", "python_version >= '3.8' and python_version < '3.10'"],
  ["python_version == '3.8' or python_version == '3.10'"],
  ["python_version >= '3.7' and python_full_version != '3.9.7'"],
  ["python_full_version >= '3.8.1'"],
  ["python_full_version < '3.8'", "python_version < '3.8'"],
  ["'3.8' <= python_version", "python_version >= '3.8'"],
  ["sys_platform in 'linux darwin'", "sys_platform == 'darwin' or sys_platform == 'linux'"],
  ["sys_platform not in 'win32'", "sys_platform != 'win32'"],
  ["'linux' in sys_platform"],
  ["'linux' not in sys_platform"],
  ["platform_release >= '20.0'"],
  ["(python_version < '3.8' or extra == 'b') and (sys_platform == 'win32' or extra == 'a')"],
  ["'a' in extras or 'b' in dependency_groups"],
  ["python_version < '3' and python_version >= '3'", "python_version < '0'"],
  ["python_version < '3' or python_version >= '3'", ""],
  ["extra == 'a' and extra == 'b'"],
  ["os_name ~= 'x'", "python_version < '0'"],
];

describe("texts are short, and say the same when they are read again", () => {
  for (const [marker, text = marker] of TEXTS) {
    test(marker, () => {
      const made = set(marker);
      expect(made.toMarkerString()).toBe(text);
      if (text !== "") expect(set(text)).toBe(made);
    });
  }
});

describe("what follows from what", () => {
  test.each([
    ["sys_platform == 'win32'", "os_name == 'nt'", true],
    ["sys_platform == 'win32'", "platform_system == 'Windows'", true],
    ["platform_system == 'Darwin'", "sys_platform == 'darwin'", true],
    ["sys_platform == 'linux'", "os_name == 'posix'", true],
    ["os_name == 'posix'", "sys_platform == 'linux'", false],
    ["python_version >= '3.9'", "python_full_version >= '3.8.1'", true],
    ["python_full_version >= '3.8.1'", "python_version >= '3.8'", true],
    ["python_full_version >= '3.8.1'", "python_version >= '3.9'", false],
    ["sys_platform == 'linux'", "'linux' in sys_platform", true],
    ["extra == 'a' and extra == 'b'", "extra == 'a'", true],
    ["extra == 'A_b'", "extra == 'a-b'", true],
  ])("%p, so %p: %p", (left, right, expected) => {
    expect(set(left).implies(set(right))).toBe(expected);
    expect(set(left).isDisjointFrom(set(right).not())).toBe(expected);
  });

  test.each([
    ["sys_platform == 'win32'", "os_name == 'posix'"],
    ["sys_platform == 'win32'", "platform_system == 'Linux'"],
    ["sys_platform == 'linux'", "sys_platform == 'darwin'"],
    ["python_version < '3.8'", "python_full_version >= '3.8.1'"],
    ["python_version == '3.8'", "python_version == '3.9'"],
    ["extra == 'a'", "extra != 'a'"],
    ["'bsd' in sys_platform", "sys_platform == 'linux'"],
    ["platform_release >= '20.0'", "platform_release < '20.0'"],
  ])("%p excludes %p", (left, right) => {
    expect(set(left).isDisjointFrom(set(right))).toBe(true);
    expect(set(left).and(set(right)).isFalse()).toBe(true);
  });
});

describe("what is assumed is left out", () => {
  test.each([
    ["python_version >= '3.8' and sys_platform == 'win32'", ">=3.8", "sys_platform == 'win32'"],
    ["python_version < '3.8' or sys_platform == 'win32'", ">=3.8", "sys_platform == 'win32'"],
    ["python_version >= '3.8'", ">=3.9", ""],
    ["python_version < '3.8'", ">=3.9", "python_version < '0'"],
    ["python_version >= '3.8' and python_version < '3.13'", ">=3.9", "python_version < '3.13'"],
    ["python_version != '3.9'", ">=3.10", ""],
    ["python_version == '3.9'", ">=3.9", "python_version < '3.10'"],
  ])("%p for Python %p", (text, pythons, expected) => {
    expect(set(text).simplifyUnder(python(pythons)).toMarkerString()).toBe(expected);
  });

  test("texts", () => {
    const desktop = set("sys_platform == 'linux' or sys_platform == 'win32'");
    expect(set("os_name == 'posix'").simplifyUnder(desktop).toMarkerString()).toBe(
      "sys_platform != 'win32'",
    );
    const linux = MarkerSet.ofTexts({ sys_platform: "linux" });
    expect(set("os_name == 'posix'").simplifyUnder(linux).isTrue()).toBe(true);
  });
});

describe("parts of the environment", () => {
  test("the range of Pythons", () => {
    const range = (text: string) => pythonRangeOf(set(text)).toString();
    expect(range("python_version >= '3.8' and sys_platform == 'win32'")).toBe(">=3.8");
    expect(range("python_version < '3.8' or sys_platform == 'win32'")).toBe("*");
    expect(range("os_name == 'nt' and os_name == 'posix'")).toBe("none");
  });

  test("everything and nothing", () => {
    expect(MarkerSet.of(undefined)).toBe(MarkerSet.always);
    expect(MarkerSet.always.toString()).toBe("true");
    expect(MarkerSet.always.toMarkerString()).toBe("");
    expect(MarkerSet.never.toString()).toBe("python_version < '0'");
    expect(MarkerSet.always.equals(MarkerSet.never.not())).toBe(true);
    expect(MarkerSet.always.minus(set("os_name == 'x'"))).toBe(set("os_name != 'x'"));
  });

  test("extras can be settled", () => {
    const marker = set("extra == 'a' and sys_platform == 'win32' or extra == 'b'");
    expect(marker.withExtras(new Set(["a"])).toMarkerString()).toBe("sys_platform == 'win32'");
    expect(marker.withExtras(new Set(["b"])).isTrue()).toBe(true);
    expect(marker.withExtras(new Set()).isFalse()).toBe(true);
  });

  test("and values", () => {
    const marker = set("python_version >= '3.8' and platform_machine == 'x86_64'");
    expect(marker.within({ python_full_version: "3.9.1" }).toMarkerString()).toBe(
      "platform_machine == 'x86_64'",
    );
    expect(marker.within({ platform_machine: "arm64" }).isFalse()).toBe(true);
  });
});

describe("markers that are made to do harm", () => {
  /** All of the pairs ask the first question before any asks the second. */
  function entangled(pairs: number): string {
    const pair = (n: number) => `(extra == 'a${n + 100}' and extra == 'b${n + 100}')`;
    return Array.from({ length: pairs }, (_, n) => pair(n)).join(" or ");
  }

  test("are refused when they would grow without bound", () => {
    expect(set(entangled(8)).isFalse()).toBe(false);
    expect(() => set(entangled(40))).toThrow("Cannot combine markers");
  });

  test("one short form is enough", () => {
    const pairs = Array.from({ length: 14 }, (_, n) => `(extra == '${n}a' and extra == '${n}b')`);
    const text = pairs.join(" or ");
    expect(set(set(text).toMarkerString())).toBe(set(text));
    expect(set(set(text).not().toMarkerString())).toBe(set(text).not());
  });

  test("and when their text would", () => {
    const parity = Array.from({ length: 14 }, (_, n) => set(`extra == 'x${n}'`)).reduce(
      (left, right) => left.minus(right).or(right.minus(left)),
    );
    expect(() => parity.toMarkerString()).toThrow("Cannot write a marker");
  });
});
