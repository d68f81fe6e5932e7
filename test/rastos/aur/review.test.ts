import { expect, test } from "bun:test";
import { approveNamed, approveNothing, unreviewed } from "../../../src/rastos/aur/review.ts";

const review = {
  base: "tool",
  packages: ["tool"],
  version: "1-1",
  from: undefined,
  to: "0123456789abcdef0123456789abcdef01234567",
  description: "",
  diff: "",
};

test("a commit that was named passes; others are asked for", async () => {
  const asked: string[] = [];
  const ask = async ({ to }: { to: string }) => asked.push(to) > 5;
  expect(await approveNamed(["0123456789ABCDEF"], ask)(review)).toBe(true);
  expect(asked).toEqual([]);
  expect(await approveNamed(["1123456789abcdef"], ask)(review)).toBe(false);
  expect(asked).toEqual([review.to]);
  expect(await approveNothing(review)).toBe(false);
});

test("what could be forged is no approval", () => {
  for (const text of ["0123456", "", "master", "0123456789abcdeg"]) {
    expect(() => approveNamed([text], approveNothing)).toThrow(/reviewed commit/);
  }
});

test("a refusal says what to do", () => {
  expect(unreviewed(review)).toMatchObject({
    code: "E_CONFIRM",
    message: 'Cannot build "tool": it has never been reviewed',
  });
  expect(unreviewed({ ...review, from: "old" }).message).toContain("has changed since old");
});
