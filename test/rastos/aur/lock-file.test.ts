import { expect, test } from "bun:test";
import { formatAurLock, parseAurLock } from "../../../src/rastos/aur/lock-file.ts";

const COMMIT = "a".repeat(40);

test("what is written is read again, in a fixed order", () => {
  const lock = new Map([
    ["zsh-git", { commit: COMMIT, packages: ["zsh-git"] }],
    ["app", { commit: COMMIT, packages: ["app", "app-docs"] }],
  ]);
  const text = formatAurLock(lock);
  expect([...parseAurLock("x", text)].sort()).toEqual([...lock].sort());
  expect(text.indexOf('"app"')).toBeLessThan(text.indexOf('"zsh-git"'));
  expect(parseAurLock("x", undefined).size).toBe(0);
});

test.each([
  "",
  "[]",
  '{"schema":"other/1","bases":{}}',
  `{"schema":"rastos.aur-lock/1","bases":{"../a":{"commit":"${COMMIT}","packages":[]}}}`,
  '{"schema":"rastos.aur-lock/1","bases":{"a":{"commit":"abc","packages":[]}}}',
])("%p is none", (text) => {
  expect(() => parseAurLock("x.lock", text)).toThrow(/x\.lock/);
});
