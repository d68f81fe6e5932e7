import { expect, test } from "bun:test";
import { documentedTools } from "../../../../src/applets.ts";
import { placesOf } from "../../../../src/kit/cli/completion/places.ts";

test("each command is described once, whatever names lead to it", async () => {
  const { models, aliases } = placesOf(await documentedTools());
  const paths = models.map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
  expect(paths).toContain("blit copy");
  expect(paths).not.toContain("triad blit copy");
  expect(paths).toContain("triad completions");
  expect(aliases).toContainEqual({ path: "triad blit", tool: "blit" });
});
