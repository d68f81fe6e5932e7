import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatConfig, parseConfig } from "../../../src/rastos/kernel/config-file.ts";

const X86 = { version: [6, 1, 192], sourceArchitecture: "x86" };

test("reads values, switched off ones, comments and blank lines", () => {
  const text = `# A comment
CONFIG_A=y

CONFIG_B=m
# CONFIG_C is not set
CONFIG_D="a \\"b\\" c"
CONFIG_E=0x1F
CONFIG_F=-3
CONFIG_G=n
`;
  expect(parseConfig("x", text)).toEqual([
    { symbol: "A", value: "y", line: 2 },
    { symbol: "B", value: "m", line: 4 },
    { symbol: "C", value: "n", line: 5 },
    { symbol: "D", value: '"a \\"b\\" c"', line: 6 },
    { symbol: "E", value: "0x1F", line: 7 },
    { symbol: "F", value: "-3", line: 8 },
    { symbol: "G", value: "n", line: 9 },
  ]);
});

test.each(["BTRFS=y", "CONFIG_A=yes", "CONFIG_A", 'CONFIG_A="open', "CONFIG_A=y # why"])(
  "names the line that is no setting: %s",
  (line) => {
    expect(() => parseConfig("my.config", `CONFIG_X=y\n${line}\n`)).toThrow(/my\.config:2/);
  },
);

test("a condition is for the next line only", () => {
  const text =
    "#: since 6.6\nCONFIG_A=y\nCONFIG_B=y\n#: until 6.1\nCONFIG_C=y\n#: on arm64\n" +
    "# CONFIG_D is not set\n#: since 6.1\nCONFIG_E=y\n#: on x86\nCONFIG_F=y\n";
  const symbols = (facts?: typeof X86): string =>
    parseConfig("x", text, facts)
      .map(({ symbol }) => symbol)
      .join("");
  expect(symbols(X86)).toBe("BEF");
  expect(symbols({ version: [6, 12, 0], sourceArchitecture: "arm64" })).toBe("ABDE");
  expect(symbols({ version: [5, 15, 3], sourceArchitecture: "x86" })).toBe("BCF");
  expect(symbols()).toBe("ABCDEF");
  expect(() => parseConfig("x", "#: when 6.6\n", X86)).toThrow(/no condition/);
});

test("what is written is read again", () => {
  const value = fc.oneof(
    fc.constantFrom("y", "m", "n", "12", "0x10"),
    fc.string({ unit: "grapheme-ascii" }).map((text) => `"${text.replace(/["\\]/g, "\\$&")}"`),
  );
  const setting = fc.record({ symbol: fc.stringMatching(/^[A-Z0-9_]{1,12}$/), value });
  fc.assert(
    fc.property(fc.array(setting), (settings) => {
      const lines = parseConfig("x", formatConfig(settings));
      expect(lines.map(({ symbol, value }) => ({ symbol, value }))).toEqual(settings);
    }),
  );
});
