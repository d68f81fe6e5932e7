import { expect, test } from "bun:test";
import { imageIdentity } from "../../../src/rastos/image/identity.ts";

test("the same seed gives the same identifiers, another one others, none twice", () => {
  const all = (seed: string): string[] => {
    const one = imageIdentity(seed);
    const parts = [one.disk, one.biosPartition, one.bootPartition, one.rootPartition];
    return [...parts, one.filesystem, one.device, one.chunkTree, one.subvolume("a"), one.fatSerial];
  };
  expect(all("a")).toEqual(all("a"));
  expect(new Set([...all("a"), ...all("b")]).size).toBe(18);
  for (const uuid of all("a").slice(0, -1)) {
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  }
  expect(all("a").at(-1)).toMatch(/^[0-9A-F]{8}$/);
});
