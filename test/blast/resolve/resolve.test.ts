import { describe, expect, test } from "bun:test";
import { resolve } from "../../../src/blast/resolve/resolve.ts";
import { MemoryIndex } from "../../support/memory-index.ts";
import { pinsOf, requestFor } from "../../support/resolve-request.ts";

describe("resolve", () => {
  test("takes the newest versions that fit together", async () => {
    const index = new MemoryIndex({
      a: { "1.0": { requires: ["b>=1"] }, "2.0": { requires: ["b>=2,<3", "c[x]"] } },
      b: { "1.0": {}, "2.0": {}, "3.0": {} },
      c: { "1.0": { extras: { x: ["d"] } } },
      d: { "1.0": {} },
    });
    const found = await resolve(requestFor(["a"]), index);
    expect(pinsOf(found)).toEqual(["a==2.0", "b==2.0", "c==1.0", "d==1.0"]);
  });
});
