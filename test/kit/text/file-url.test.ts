import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { fileUrlOf } from "../../../src/kit/text/file-url.ts";

test.each([
  ["/a b", "file:///a%20b"],
  ["/50 %#?", "file:///50%20%25%23%3F"],
  ["/back\\slash", "file:///back%5Cslash"],
  ["/ä", "file:///%C3%A4"],
])("%s", (path, url) => {
  expect(fileUrlOf(path)).toBe(url);
  expect(fileURLToPath(url)).toBe(path);
});
