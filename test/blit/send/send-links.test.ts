import { expect, test } from "bun:test";
import type { LinkMember } from "../../../src/blit/engine/messages.ts";
import { linkParts } from "../../../src/blit/send/send-links.ts";

function members(count: number, folderBytes: number): LinkMember[] {
  const folder = "f".repeat(folderBytes);
  return Array.from({ length: count }, (_, index) => {
    return { root: 0, folder, name: `n${index}`, dev: 1, ino: "0:1", nlink: count };
  });
}

test("names that fit into a frame stay together", () => {
  const group = members(100, 10);
  expect(linkParts(group)).toEqual([group]);
});

test("more names come in parts, each led by the first", () => {
  const group = members(1000, 4000);
  const parts = linkParts(group);
  expect(parts.length).toBe(2);
  expect(parts.every((part) => part[0] === group[0])).toBe(true);
  const names = parts.flatMap((part, index) => (index === 0 ? part : part.slice(1)));
  expect(names).toEqual(group);
});
