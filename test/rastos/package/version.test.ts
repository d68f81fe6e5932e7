import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { openAlpm } from "../../../ffi/alpm/library.ts";
import { cBytes } from "../../../ffi/alpm/memory.ts";
import { compareVersions } from "../../../src/rastos/package/version.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

// Many processes: slow where others work too.
setDefaultTimeout(60_000);

const piece = fc.constantFrom(
  ...["0", "1", "2", "10", "01", "007", "99999999999999999999", "a", "b", "rc", "Z", "alpha"],
  ...[".", "..", "_", "+", "-", ":", "~", "é", "", "1:", "0:", "-1", "-2"],
);
const version = fc.array(piece, { maxLength: 7 }).map((parts) => parts.join(""));

test("versions in their order", () => {
  const sorted = ["1.0alpha-1", "1.0rc1-1", "1.0-1", "1.0-1.1", "1.0.1-1", "1.1-1", "1:0.1-1"];
  for (const [index, low] of sorted.entries()) {
    for (const high of sorted.slice(index + 1)) {
      expect([low, high, compareVersions(low, high)]).toEqual([low, high, -1]);
      expect([high, low, compareVersions(high, low)]).toEqual([high, low, 1]);
    }
  }
  expect(compareVersions("1.0", "1.0-5")).toBe(0);
});

testUnless(needsProgram("vercmp"))("as the program vercmp says", () => {
  const pairs = fc.sample(fc.tuple(version, version), { numRuns: 60, seed: 5 });
  const asked = pairs.filter(([a, b]) => a !== "" && b !== "" && !`${a}${b}`.includes("é"));
  expect(asked.length).toBeGreaterThan(30);
  for (const [a, b] of asked) {
    const said = Bun.spawnSync(["vercmp", "--", a, b]).stdout.toString().trim();
    const shown = said === "" ? Bun.spawnSync(["vercmp", a, b]).stdout.toString().trim() : said;
    expect([a, b, compareVersions(a, b)]).toEqual([a, b, Number(shown)]);
  }
});

testUnless(openAlpm() === undefined ? "needs libalpm" : undefined)(
  "as alpm_pkg_vercmp(3) says",
  () => {
    const { calls } = openAlpm() ?? {};
    const ascii = version.filter((text) => !text.includes("é"));
    fc.assert(
      fc.property(ascii, ascii, (a, b) => {
        const said = calls?.alpm_pkg_vercmp(cBytes(a), cBytes(b)) ?? 0;
        expect(Math.sign(compareVersions(a, b))).toBe(Math.sign(said));
      }),
      { numRuns: 3000, seed: 20_261_121 },
    );
  },
);

test("it is an order", () => {
  fc.assert(
    fc.property(version, version, (a, b) => compareVersions(a, b) === 0 - compareVersions(b, a)),
    { numRuns: 500 },
  );
});
