import { expect, test } from "bun:test";
import { formatTable } from "../../../src/kit/text/table.ts";

test("columns are as wide as their widest cell, numbers stand right", () => {
  const columns = [
    { title: "Name" },
    { title: "Size", align: "right" as const },
    { title: "Kind" },
  ];
  expect(
    formatTable(columns, [
      ["a", "1", "x"],
      ["ext4→tmpfs", "1,234", ""],
    ]),
  ).toEqual(["Name         Size  Kind", "a               1  x", "ext4→tmpfs  1,234"]);
});

test("wide characters count for two, a short row is filled up", () => {
  const columns = [{ title: "A" }, { title: "B" }];
  expect(formatTable(columns, [["日本", "b"], ["a"], []])).toEqual(["A     B", "日本  b", "a", ""]);
});

test("no rows: the titles alone", () => {
  expect(formatTable([{ title: "A" }], [])).toEqual(["A"]);
});
