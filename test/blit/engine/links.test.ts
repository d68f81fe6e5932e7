import { expect, test } from "bun:test";
import { groupLinks } from "../../../src/blit/engine/links.ts";

test("groupLinks() puts the names of one file together, by device and inode", () => {
  const member = (name: string, dev: number, ino: string) => ({
    root: 0,
    folder: "",
    name,
    dev,
    ino,
    nlink: 2,
  });
  const groups = groupLinks([
    member("a", 1, "0:5"),
    member("b", 2, "0:5"),
    member("c", 1, "0:5"),
    member("d", 1, "1:5"),
  ]);
  expect(groups.map((group) => group.map((each) => each.name).join())).toEqual(["a,c", "b", "d"]);
});
