import { describe, expect, test } from "bun:test";
import { parseMarker } from "../../../src/blast/pep/marker.ts";
import { MarkerSet } from "../../../src/blast/pep/marker-algebra.ts";
import { roundedRange } from "../../../src/blast/pep/python-releases.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { parseVersion } from "../../../src/blast/pep/version.ts";

const set = (text: string) => MarkerSet.of(parseMarker(text));
const range = (text: string) => parseSpecifierSet(text).toRange();

describe("Pythons as releases", () => {
  test("conditions that differ for pre-releases only are one", () => {
    const full = set("python_full_version >= '3.13'").forReleases();
    expect(full).toBe(set("python_version >= '3.13'").forReleases());
    expect(full.or(set("python_full_version < '3.13'").forReleases()).isTrue()).toBe(true);
    expect(full.toMarkerString()).toBe("python_version >= '3.13'");
    const patch = set("python_full_version >= '3.13.1'").forReleases();
    expect(patch.or(set("python_full_version < '3.13.1'").forReleases()).isTrue()).toBe(true);
    expect(set("python_full_version == '3.13b1'").forReleases().isFalse()).toBe(true);
    const both = "python_full_version < '3.9' or sys_platform == 'win32'";
    expect(set(both).forReleases()).toBe(
      set("python_version < '3.9' or sys_platform == 'win32'").forReleases(),
    );
  });

  test("ranges hold the same releases as before, and are equal where they do", () => {
    const texts = [">=3.8", ">3.8,<4", "!=3.9.*,!=3.10.1", "<=3.11", "==3.12.4", ">=3.13rc1", ""];
    const releases = ["3.7.9", "3.8", "3.8.1", "3.9.2", "3.10.1", "3.11", "3.11.1", "3.12.4"];
    releases.push("3.13", "3.13.1", "4.0");
    for (const text of texts) {
      for (const release of releases) {
        const version = parseVersion(release);
        const rounded = roundedRange(range(text));
        expect(`${text} ${release} ${rounded.contains(version)}`).toBe(
          `${text} ${release} ${range(text).contains(version)}`,
        );
        expect(roundedRange(rounded).equals(rounded)).toBe(true);
      }
    }
    expect(roundedRange(range(">=3.13rc1")).equals(roundedRange(range(">=3.13")))).toBe(true);
  });
});
