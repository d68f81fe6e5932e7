import { describe, expect, test } from "bun:test";
import {
  isDeadLeftover,
  isTemporaryName,
  partialName,
  temporaryPrefix,
} from "../../../src/blit/engine/staging.ts";

const own = `${temporaryPrefix()}1~`;
/** The parts of a temporary name: "", "blit", machine, boot, pid, start, number. */
const parts = own.slice(1, -1).split("-");

function nameWith(changes: Readonly<Record<number, string>>): string {
  return `.${parts.map((part, index) => changes[index] ?? part).join("-")}~`;
}

describe("isTemporaryName()", () => {
  test("knows the names of this run", () => {
    expect(isTemporaryName(own)).toBe(true);
    expect(own.length).toBeLessThan(64);
  });

  test("does not take a user's names for its own", () => {
    for (const name of [".blit", ".blit-x~", ".blitz-notes~", `${own}x`, `x${own}`, "a~"]) {
      expect(isTemporaryName(name)).toBe(false);
    }
  });
});

describe("isDeadLeftover()", () => {
  test("spares what a living process makes", () => {
    expect(isDeadLeftover(own, 1e9)).toBe(false);
  });

  test("takes what a process left that is gone", () => {
    expect(isDeadLeftover(nameWith({ 3: "zzzzzz" }), 0)).toBe(true);
  });

  test("takes what a process of the same number left that started at another time", () => {
    expect(isDeadLeftover(nameWith({ 4: "1" }), 0)).toBe(true);
  });

  test("takes what was left before the machine was started again", () => {
    expect(isDeadLeftover(nameWith({ 2: "00000000" }), 0)).toBe(true);
  });

  test("gives the part of a large file a week, whoever received it", () => {
    const part = partialName("n\xff.iso");
    expect(part).toMatch(/^\.blit-partial-[0-9a-f]{16}~$/);
    expect(isTemporaryName(part)).toBe(true);
    expect(isDeadLeftover(part, 6 * 24 * 3600)).toBe(false);
    expect(isDeadLeftover(part, 8 * 24 * 3600)).toBe(true);
  });

  test("gives another machine a day", () => {
    const foreign = nameWith({ 1: "00000000" });
    expect(isDeadLeftover(foreign, 3600)).toBe(false);
    expect(isDeadLeftover(foreign, 25 * 3600)).toBe(true);
  });
});
