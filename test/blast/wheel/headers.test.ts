import { expect, test } from "bun:test";
import { metadataDifference, parseHeaderFields } from "../../../src/blast/wheel/headers.ts";

test("fields by their names, repeated, folded, up to the first empty line", () => {
  const text =
    "\ufeffName: demo\r\nRequires-Dist: a\nrequires-dist:b>=1;\n  python_version > '3'\n" +
    "no field\n: nothing\n\nVersion: 2\n";
  expect([...parseHeaderFields(text)]).toEqual([
    ["name", ["demo"]],
    ["requires-dist", ["a", "b>=1;\npython_version > '3'"]],
  ]);
  expect([...parseHeaderFields("")]).toEqual([]);
  expect([...parseHeaderFields("Tag: x")]).toEqual([["tag", ["x"]]]);
});

test("metadata differs where a resolver would decide otherwise, and only there", () => {
  const own = "Metadata-Version: 2.1\nName: a\nVersion: 1\nRequires-Dist: b\nSummary: x\n\nText\n";
  const same = [
    own,
    own.replaceAll("\n", "\r\n"),
    own.replace("Summary: x\n", ""),
    own.replace("Text", "Other"),
    own.replace("2.1", "2.4"),
  ];
  for (const offered of same) expect(metadataDifference(own, offered)).toBeUndefined();
  const different: [string, string][] = [
    ["name", own.replace("Name: a", "Name: b")],
    ["version", own.replace("Version: 1", "Version: 1.0")],
    ["requires-dist", own.replace("Requires-Dist: b", "Requires-Dist: b>1")],
    ["requires-dist", own.replace("Requires-Dist: b\n", "")],
    ["requires-dist", own.replace("Summary: x", "Requires-Dist: c")],
    ["requires-python", own.replace("Summary: x", "Requires-Python: >3")],
    ["provides-extra", own.replace("Summary: x", "Provides-Extra: x")],
    ["name", ""],
  ];
  for (const [field, offered] of different) expect(metadataDifference(own, offered)).toBe(field);
});
