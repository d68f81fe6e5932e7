import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import {
  readNamedRequirement,
  readRequirement,
  rootRequirement,
} from "../../../src/blast/project/requirement-line.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

const base = mkdtempSync(join(tmpdir(), "blast-line-"));
mkdirSync(join(base, "pkg"));
writeFileSync(join(base, "a-1.zip"), "");
afterAll(() => rmSync(base, { recursive: true, force: true }));

test("any text is a requirement or a fault with its origin", () => {
  const piece = fc.constantFrom(
    ..."a pkg ./pkg a-1.zip [x] [ ] @ ; # == >=1 , https://h/ file: / ~".split(" "),
    ..."git+ssh://g@h/r %zz .whl".split(" "),
    ..."a-1-py3-none-any.whl|#egg=n|&subdirectory=..|os_name == 'nt'| |\0|é|\ud800|:|..".split("|"),
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join("")),
    fc.string({ unit: "binary" }),
  );
  const seen = { value: 0, fault: 0 };
  fc.assert(
    fc.property(text, fc.boolean(), (given, editable) => {
      try {
        const read = readRequirement(given, { origin: "f:1", base, editable });
        expect(read.origin).toBe("f:1");
        expect(read.requirement !== undefined || read.source !== undefined).toBe(true);
        seen.value += 1;
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        expect([error.code, error.message.startsWith('Cannot use "f:1": ')]).toEqual([
          "E_CONFIG",
          true,
        ]);
        seen.fault += 1;
      }
    }),
    { numRuns: 5000 },
  );
  expect([seen.value > 100, seen.fault > 1000]).toEqual([true, true]);
});

test("in the resolver's terms", () => {
  const place = { origin: "f:1", base };
  const named = rootRequirement(readNamedRequirement("a[x]>=1; os_name=='nt'", place));
  expect([named.requirement.name as string, named.origin, named.source]).toEqual([
    "a",
    "f:1",
    undefined,
  ]);
  const folder = readRequirement("./pkg[y] ; os_name == 'nt'", place);
  expect(() => rootRequirement(folder)).toThrow("no name");
  const root = rootRequirement(folder, parsePackageName("found"));
  expect(root.requirement.name as string).toBe("found");
  expect(root.requirement.extras as readonly string[]).toEqual(["y"]);
  expect(root.requirement.marker).toBe(folder.marker);
  expect(root.source).toEqual({ kind: "directory", path: join(base, "pkg"), editable: false });
});

test("the place is asked for only when it is needed", () => {
  let asked = 0;
  const place = {
    get origin() {
      asked += 1;
      return "f:1";
    },
    base,
  };
  const root = rootRequirement(readNamedRequirement("a", place));
  expect(asked).toBe(0);
  expect([root.origin, asked]).toEqual(["f:1", 1]);
});

test("secrets stay out of messages", () => {
  const bad = () => readRequirement("git+https://me:s3cret@h/r@", { origin: "f:1", base });
  expect(bad).toThrow("me:***@h");
  try {
    bad();
  } catch (error) {
    expect(JSON.stringify((error as Fault).toJson())).not.toContain("s3cret");
  }
});
