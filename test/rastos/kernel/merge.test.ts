import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseConfig } from "../../../src/rastos/kernel/config-file.ts";
import { mergeConfigs } from "../../../src/rastos/kernel/merge.ts";

function layer(name: string, text: string) {
  return { name, lines: parseConfig(name, text) };
}

test("the later layer wins, and says so", () => {
  const merged = mergeConfigs([
    layer("defconfig", "CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=m\n"),
    layer("profile", "CONFIG_B=m\nCONFIG_D=y\n"),
    layer("own", "# CONFIG_D is not set\nCONFIG_C=m\n"),
  ]);
  const overrides = merged.overrides.map(
    ({ symbol, from, to }) => `${symbol}: ${from.layer} ${from.value} -> ${to.layer} ${to.value}`,
  );
  expect(overrides).toEqual(["B: defconfig y -> profile m", "D: profile y -> own n"]);
  expect(merged.wanted.map(({ symbol, value }) => `${symbol}=${value}`)).toEqual([
    "B=m",
    "D=n",
    "C=m",
  ]);
  // What is wanted stands last: of a choice, the last one counts.
  expect(merged.settings.map(({ symbol }) => symbol).join("")).toBe("ABDC");
});

test("every symbol is there once, with the value of the last layer that has it", () => {
  const line = fc.record({
    symbol: fc.constantFrom("A", "B", "C", "D"),
    value: fc.constantFrom("y", "m", "n"),
    line: fc.nat(),
  });
  const layers = fc.array(fc.record({ name: fc.string(), lines: fc.array(line) }));
  fc.assert(
    fc.property(layers, (all) => {
      const { settings, wanted } = mergeConfigs(all);
      const expected = new Map(
        all.flatMap(({ lines }) => lines).map(({ symbol, value }) => [symbol, value]),
      );
      const got = settings.map(({ symbol, value }) => [symbol, value] as const);
      expect(got.length).toBe(expected.size);
      expect(new Map(got)).toEqual(expected);
      expect(settings.slice(settings.length - wanted.length)).toEqual([...wanted]);
    }),
  );
});
