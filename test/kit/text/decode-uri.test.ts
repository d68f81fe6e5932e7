import { expect, test } from "bun:test";
import { decodeUri } from "../../../src/kit/text/decode-uri.ts";

test("what is encoded is decoded, and what is not stays", () => {
  expect(["a%20b", "%C3%A9", "50%", "%zz", "%E9", ""].map(decodeUri)).toEqual([
    ...["a b", "é", "50%", "%zz", "%E9", ""],
  ]);
});
