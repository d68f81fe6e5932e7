import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { editTomlList, type ListEdit } from "../../../src/blast/project/toml-edit.ts";
import { parseToml } from "../../../src/kit/config/toml.ts";

const PATH = ["project", "dependencies"] as const;

async function edited(text: string, edit: ListEdit, path: readonly [string, ...string[]] = PATH) {
  return (await editTomlList(await parseToml("p.toml", text), path, edit)).text;
}
const append = (text: string, value = "new") => edited(text, { kind: "append", value });
const remove = (text: string, index: number) => edited(text, { kind: "remove", index });

const inProject = (list: string, newline = "\n") =>
  `[project]\nname = "x"\ndependencies = ${list}\n\n[tool.x]\na = 1\n`.replaceAll("\n", newline);

describe("append keeps the list's form", () => {
  const cases: [before: string, after: string][] = [
    ["[]", '[\n    "new",\n]'],
    ["[ ]", '[ "new" ]'],
    ["[\n]", '[\n    "new"\n]'],
    ["[\n  # none\n]", '[\n  # none\n    "new",\n]'],
    ['["a"]', '["a", "new"]'],
    ["['a',]", "['a', 'new',]"],
    ['[ "a", "b" ]', '[ "a", "b", "new" ]'],
    ['[\n  "a",\n]', '[\n  "a",\n  "new",\n]'],
    ['[\n  "a"\n]', '[\n  "a",\n  "new"\n]'],
    ['[\n\t"a", # c\n\t# d\n]', '[\n\t"a", # c\n\t"new",\n\t# d\n]'],
    ['[\n  "a" # c\n]', '[\n  "a", # c\n  "new"\n]'],
    ['[\n  "a"\n  , "b"\n]', '[\n  "a"\n  , "b",\n  "new"\n]'],
    ['["a",\n "b"]', '["a",\n "b", "new"]'],
  ];
  for (const [before, after] of cases) {
    for (const newline of ["\n", "\r\n"]) {
      test(JSON.stringify(before.replaceAll("\n", newline)), async () => {
        const text = inProject(before, newline);
        const changed = await append(text);
        expect(changed).toBe(inProject(after, newline));
        const last = (Bun.TOML.parse(changed) as never)["project"]["dependencies"] as string[];
        expect(await remove(changed, last.length - 1)).toBe(text);
      });
    }
  }
});

describe("remove", () => {
  const cases: [before: string, index: number, after: string][] = [
    ['["a", "b", "c"]', 0, '["b", "c"]'],
    ['["a", "b", "c"]', 1, '["a", "c"]'],
    ['["a", "b", "c"]', 2, '["a", "b"]'],
    ['["a"]', 0, "[]"],
    ['["a",]', 0, "[]"],
    ['[\n  "a", # why a\n  # about b\n  "b",\n]', 0, '[\n  # about b\n  "b",\n]'],
    ['[\n  "a",\n  "b"\n]', 1, '[\n  "a"\n]'],
    ['[\n  "a", # c\n  "b" # d\n]', 1, '[\n  "a" # c\n]'],
    ['[\n  "a", "b",\n  "c",\n]', 1, '[\n  "a",\n  "c",\n]'],
    ['[\n  "a", "b",\n  "c",\n]', 0, '[\n  "b",\n  "c",\n]'],
    ['["a",\n "b"]', 1, '["a"\n]'],
    ['["a",\n "b"]', 0, '[\n "b"]'],
  ];
  for (const [before, index, after] of cases) {
    test(`${index} of ${JSON.stringify(before)}`, async () => {
      expect(await remove(inProject(before), index)).toBe(inProject(after));
    });
  }
});

test("replace keeps the quotes where it can", async () => {
  const text = inProject(`['a', "b"]`);
  const replaced = await edited(text, { kind: "replace", index: 0, value: "z>=1" });
  expect(replaced).toBe(inProject(`['z>=1', "b"]`));
  const marker = `q ; python_version < "3"`;
  expect(await edited(text, { kind: "replace", index: 1, value: marker })).toBe(
    inProject(`['a', '${marker}']`),
  );
  const both = `q ; a < "3" and b == 'x'`;
  expect(await edited(text, { kind: "replace", index: 0, value: both })).toBe(
    inProject(`["q ; a < \\"3\\" and b == 'x'", "b"]`),
  );
});

describe("what is absent is made", () => {
  test("the list, at the end of its table", async () => {
    expect(await append('[project]\nname = "x" # n\n\n[tool.x]\na = 1\n')).toBe(
      '[project]\nname = "x" # n\ndependencies = [\n    "new",\n]\n\n[tool.x]\na = 1\n',
    );
    expect(await append("[project]\r\nname = 'x'")).toBe(
      "[project]\r\nname = 'x'\r\ndependencies = [\r\n    \"new\",\r\n]\r\n",
    );
    const nested = "[project]\n[project.urls]\na = [\n[1],\n]\n";
    expect(await append(nested)).toBe(
      '[project]\ndependencies = [\n    "new",\n]\n[project.urls]\na = [\n[1],\n]\n',
    );
  });

  test("the table, at the end of the file", async () => {
    const path = ["dependency-groups", "dev"] as const;
    const edit = { kind: "append", value: "new" } as const;
    expect(await edited('[project]\nname = "x"\n', edit, path)).toBe(
      '[project]\nname = "x"\n\n[dependency-groups]\ndev = [\n    "new",\n]\n',
    );
    expect(await edited("", edit, path)).toBe('[dependency-groups]\ndev = [\n    "new",\n]\n');
  });
});

test("what cannot be changed safely is refused", async () => {
  for (const text of ['project = { name = "x" }\n', 'project.name = "x"\n']) {
    expect(append(text)).rejects.toThrow('Cannot change "project.dependencies" of "p.toml"');
  }
  expect(append('[project]\ndependencies = "a"\n')).rejects.toThrow("Cannot change");
});

const newline = fc.constantFrom("\n", "\r\n");
const blank = fc.constantFrom("", "", " ", "  ", "\n", "\n  ", "\n\t", " # c, ]\n ", "\n  # d\n  ");
const element = fc.constantFrom(
  "'a'",
  '"b>=1"',
  "\"c; x == '#,]'\"",
  '"""d"""',
  "'''e'''",
  '"f\\""',
);
const document = fc
  .record({
    newline,
    elements: fc.array(fc.tuple(blank, element, blank), { maxLength: 5 }),
    trailing: fc.boolean(),
    end: blank,
    before: fc.constantFrom("", "\ufeff", "# top\n", "a = [ [1], 2 ] # x\n", "d = 1979-05-27\n"),
    indent: fc.constantFrom("", "  "),
    after: fc.constantFrom("", "\n", '\nversion = "1"\n[tool.x]\ny = """\n[project]\n"""\n'),
  })
  .map(({ newline, elements, trailing, end, before, indent, after }) => {
    const list = elements.map((parts) => parts.join("")).join(",");
    const comma = trailing && elements.length > 0 ? "," : "";
    const text = `${before}[project]\n${indent}dependencies = [${list}${comma}${end}]${after}`;
    return { text: text.replaceAll("\n", newline), count: elements.length };
  });

test("append and remove again: the same bytes", async () => {
  await fc.assert(
    fc.asyncProperty(document, fc.constantFrom("new", "x; a < '3'"), async (given, value) => {
      const added = await append(given.text, value);
      expect(await remove(added, given.count)).toBe(given.text);
    }),
    { numRuns: 1500 },
  );
});

test("any element can be removed or replaced, and no comment goes but its own", async () => {
  const comments = (text: string) => text.split("# d").length;
  await fc.assert(
    fc.asyncProperty(document, fc.nat(), async ({ text, count }, pick) => {
      if (count === 0) return;
      const index = pick % count;
      const replaced = await edited(text, { kind: "replace", index, value: "r" });
      expect(replaced.length).toBeLessThan(text.length + 3);
      expect(comments(await remove(text, index))).toBeGreaterThanOrEqual(comments(text) - 1);
    }),
    { numRuns: 1500 },
  );
});
