import { afterAll, beforeAll, expect } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { generateProto, PROTO_FOLDER } from "../../scripts/proto.ts";
import { testUnless } from "../support/skip.ts";

const BUF = resolve(import.meta.dir, "../../node_modules/.bin/buf");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "proto-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

testUnless(existsSync(BUF) ? undefined : "needs buf")(
  "the committed code is what proto/blit.proto says",
  () => {
    expect(generateProto(folder)).toBe(0);
    const files = readdirSync(folder).sort();
    expect(files).toEqual(readdirSync(PROTO_FOLDER).sort());
    for (const file of files) {
      expect(readFileSync(join(folder, file), "utf8")).toBe(
        readFileSync(join(PROTO_FOLDER, file), "utf8"),
      );
    }
  },
);
