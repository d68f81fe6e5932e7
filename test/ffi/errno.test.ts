import { expect, test } from "bun:test";
import { errno, errnoName, errnoNumber, errnoText } from "../../ffi/errno.ts";
import { valuesInC } from "../support/c-values.ts";
import { needsProgram, testUnless } from "../support/skip.ts";

const testInC = testUnless(needsProgram("cc"));

testInC("every number is that of errno.h", () => {
  const names = Object.keys(errno);
  const theirs = valuesInC(["errno.h"], Object.fromEntries(names.map((name) => [name, name])));
  expect({ ...errno } as Record<string, number>).toEqual(theirs);
});

testInC("every name of the table belongs to its number", () => {
  const known = Array.from({ length: 200 }, (_, number) => errnoName(number)).filter(
    (name) => !name.startsWith("ERRNO_"),
  );
  expect(known.length).toBeGreaterThan(40);
  const theirs = valuesInC(["errno.h"], Object.fromEntries(known.map((name) => [name, name])));
  expect(Object.fromEntries(known.map((name) => [name, errnoNumber(name)]))).toEqual(theirs);
});

test("names and numbers go both ways, for all that code compares with", () => {
  for (const [name, number] of Object.entries(errno)) {
    expect([errnoName(number), errnoNumber(name)]).toEqual([name, number]);
    expect(errnoText(number)).not.toContain("number");
  }
});

test("a number that is not in the table is told as it is", () => {
  expect(errnoName(250)).toBe("ERRNO_250");
  expect(errnoText(250)).toBe("error number 250");
  expect(errnoNumber("EWHATEVER")).toBeUndefined();
});
