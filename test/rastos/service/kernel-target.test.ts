import { expect, test } from "bun:test";
import { kernelTarget } from "../../../src/rastos/service/kernel-target.ts";

test.each([
  ["root=/dev/vda quiet", undefined],
  ["quiet single", "rescue"],
  ["1", "rescue"],
  ["emergency", "emergency"],
  ["rinit.target=kiosk quiet", "kiosk"],
  ["single rinit.target=kiosk", "kiosk"],
  ["", undefined],
  ["constructor", undefined],
])("the command line %j asks for %p", (line, target) => {
  expect(kernelTarget(line)).toBe(target as string);
});
