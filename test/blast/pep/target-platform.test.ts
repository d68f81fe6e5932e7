import { expect, test } from "bun:test";
import { TARGET_PLATFORMS, targetMarkers } from "../../../src/blast/pep/target-platform.ts";

test("every name has markers", () => {
  for (const name of TARGET_PLATFORMS) {
    const markers = targetMarkers(name);
    expect(markers.platform_machine).not.toBe("");
    expect(markers.platform_release + markers.platform_version).toBe("");
  }
});

test("markers of the three that most people have", () => {
  expect(["linux", "macos", "windows"].map((name) => Object.values(targetMarkers(name)))).toEqual([
    ["posix", "linux", "Linux", "x86_64", "", ""],
    ["posix", "darwin", "Darwin", "arm64", "", ""],
    ["nt", "win32", "Windows", "AMD64", "", ""],
  ]);
});
