import { expect, test } from "bun:test";
import { quantile, table, withSection } from "../../bench/report.ts";

test("a section is added once, then replaced in place, and its neighbours stay", () => {
  const first = withSection("# Results\n", { id: "a", title: "A", body: "one" });
  const second = withSection(first, { id: "b", title: "B", body: "two" });
  const third = withSection(second, { id: "a", title: "A", body: "three\n" });
  expect(third).toBe(
    "# Results\n\n<!-- begin a -->\n## A\n\nthree\n<!-- end a -->\n\n" +
      "<!-- begin b -->\n## B\n\ntwo\n<!-- end b -->\n",
  );
});

test("quantiles interpolate and refuse an empty sample", () => {
  expect([0, 0.25, 0.5, 1].map((share) => quantile([4, 1, 3, 2], share))).toEqual([
    1, 1.75, 2.5, 4,
  ]);
  expect(() => quantile([], 0.5)).toThrow("no samples");
});

test("a table has one row a line", () => {
  expect(table(["a", "b"], [["1", "2"]])).toBe("| a | b |\n| --- | ---: |\n| 1 | 2 |");
});
