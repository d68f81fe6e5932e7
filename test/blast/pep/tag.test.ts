import { describe, expect, test } from "bun:test";
import { PepError } from "../../../src/blast/pep/error.ts";
import type { InterpreterTags } from "../../../src/blast/pep/tag.ts";
import { parseTagTriples, supportedTags, tagsForPlatform } from "../../../src/blast/pep/tag.ts";

const CPYTHON: InterpreterTags = {
  implementation: "cpython",
  version: [3, 12],
  platform: "linux-x86_64",
  pointerBits: 64,
  glibc: [2, 36],
};

const fits = (tags: ReturnType<typeof supportedTags>, text: string) =>
  tags.priority(parseTagTriples(text)) !== undefined;

describe("the examples of PEP 425", () => {
  test("a set of several platforms is expanded", () => {
    expect(parseTagTriples("cp33-abi3-manylinux1_x86_64.linux_x86_64")).toEqual([
      { python: "cp33", abi: "abi3", platform: "manylinux1_x86_64" },
      { python: "cp33", abi: "abi3", platform: "linux_x86_64" },
    ]);
    expect(parseTagTriples("py2.py3-none-any").length).toBe(2);
  });

  test("the order on Linux with Python 3.3", () => {
    const list = supportedTags({ ...CPYTHON, version: [3, 3], glibc: undefined }).list();
    expect(list).toEqual([
      "cp33-cp33m-linux_x86_64",
      "cp33-abi3-linux_x86_64",
      "cp33-none-linux_x86_64",
      "cp32-abi3-linux_x86_64",
      "py33-none-linux_x86_64",
      "py3-none-linux_x86_64",
      "py32-none-linux_x86_64",
      "py31-none-linux_x86_64",
      "py30-none-linux_x86_64",
      "cp33-none-any",
      "py33-none-any",
      "py3-none-any",
      "py32-none-any",
      "py31-none-any",
      "py30-none-any",
    ]);
  });

  test("what is no tag is refused", () => {
    for (const text of ["", "py3", "py3-none", "py3-none-any-x", "py3--any", "py3.-none-any"]) {
      expect(() => parseTagTriples(text)).toThrow(PepError);
    }
  });
});

describe("the examples of PEP 600 and 656", () => {
  test("a wheel for glibc 2.17 runs on 2.36, not on 2.12; its old name is the same", () => {
    for (const name of ["manylinux_2_17_x86_64", "manylinux2014_x86_64"]) {
      const wheel = `cp312-cp312-${name}`;
      expect(fits(supportedTags(CPYTHON), wheel)).toBe(true);
      expect(fits(supportedTags({ ...CPYTHON, glibc: [2, 17] }), wheel)).toBe(true);
      expect(fits(supportedTags({ ...CPYTHON, glibc: [2, 12] }), wheel)).toBe(false);
      expect(fits(supportedTags({ ...CPYTHON, glibc: undefined }), wheel)).toBe(false);
    }
  });

  test("musl has wheels of its own", () => {
    const musl = supportedTags({ ...CPYTHON, glibc: undefined, musl: [1, 2] });
    expect(fits(musl, "cp312-cp312-musllinux_1_1_x86_64")).toBe(true);
    expect(fits(musl, "cp312-cp312-musllinux_1_3_x86_64")).toBe(false);
    expect(fits(musl, "cp312-cp312-musllinux_2_0_x86_64")).toBe(false);
    expect(fits(musl, "cp312-cp312-manylinux_2_17_x86_64")).toBe(false);
    expect(fits(supportedTags(CPYTHON), "cp312-cp312-musllinux_1_1_x86_64")).toBe(false);
  });
});

describe("priority", () => {
  test("is the place in the list", () => {
    for (const interpreter of [
      CPYTHON,
      { ...CPYTHON, implementation: "pypy", extSuffix: ".pypy312-pp74-x86_64-linux-gnu.so" },
    ]) {
      const tags = supportedTags(interpreter);
      const places = tags.list().map((text) => tags.priority(parseTagTriples(text)));
      expect(places).toEqual(places.map((_, index) => index));
      expect(tags.size).toBe(places.length);
    }
  });

  test("of several tags the best counts", () => {
    const tags = supportedTags(CPYTHON);
    const both = parseTagTriples("py2.py3-none-any");
    expect(tags.priority(both)).toBe(tags.priority(parseTagTriples("py3-none-any")));
    expect(tags.priority(parseTagTriples("py2-none-any"))).toBeUndefined();
    expect(tags.priority(parseTagTriples("cp312-cp312-any"))).toBeUndefined();
    expect(tags.priority(parseTagTriples("cp312-none-any"))).toBeNumber();
    expect(tags.priority([])).toBeUndefined();
  });
});

describe("machines that are not at hand", () => {
  const on = (platform: string, wheel: string, python = "3.12") =>
    fits(tagsForPlatform({ python, platform }), wheel);

  test("what runs where", () => {
    expect(on("linux", "cp312-cp312-manylinux_2_28_x86_64")).toBe(true);
    expect(on("linux", "cp312-cp312-manylinux_2_29_x86_64")).toBe(false);
    expect(on("x86_64-manylinux_2_34", "cp312-cp312-manylinux_2_34_x86_64")).toBe(true);
    expect(on("aarch64-manylinux2014", "cp312-abi3-manylinux_2_17_aarch64", "3.12.4")).toBe(true);
    expect(on("macos", "cp312-cp312-macosx_11_0_arm64")).toBe(true);
    expect(on("macos", "cp312-cp312-macosx_10_9_universal2")).toBe(true);
    expect(on("macos", "cp312-cp312-macosx_10_9_x86_64")).toBe(false);
    expect(on("x86_64-apple-darwin", "cp312-cp312-macosx_10_9_x86_64")).toBe(true);
    expect(on("windows", "cp312-cp312-win_amd64")).toBe(true);
    expect(on("i686-pc-windows-msvc", "cp37-abi3-win32")).toBe(true);
  });

  test("the oldest system that must do can be given", () => {
    const oldest = { macos: [14, 0], ios: [15, 2], androidApi: 26 } as const;
    const first = (platform: string) =>
      tagsForPlatform({ python: "3.13", platform, oldest }).list()[0];
    const names = ["macos", "arm64-apple-ios", "x86_64-linux-android", "linux"];
    expect(names.map(first)).toEqual([
      "cp313-cp313-macosx_14_0_arm64",
      "cp313-cp313-ios_15_2_arm64_iphoneos",
      "cp313-cp313-android_26_x86_64",
      "cp313-cp313-linux_x86_64",
    ]);
  });

  test("what is not known is refused", () => {
    const names = [
      "",
      "x",
      "constructor",
      "x86_64-constructor",
      "arm64-linux",
      "mips-manylinux2014",
    ];
    for (const platform of [...names, "x86_64-apple-ios", "toString-pc-windows-msvc"]) {
      expect(() => tagsForPlatform({ python: "3.12", platform })).toThrow(PepError);
    }
    for (const python of ["", "3", "x", "3.x", "3.99999", ">=3.8"]) {
      expect(() => tagsForPlatform({ python, platform: "linux" })).toThrow("it must be as 3.12");
    }
  });
});
