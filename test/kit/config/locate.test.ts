import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { type KeyPath, lineColumnOf, locateToml } from "../../../src/kit/config/locate.ts";

function at(text: string, path: KeyPath): string | undefined {
  const place = locateToml(text).find(path);
  const span = place?.key ?? place?.value;
  if (span === undefined) return undefined;
  const { line, column } = lineColumnOf(text, span.start);
  return `${line}:${column}`;
}

describe("places by hand", () => {
  const text = [
    "# comment with [brackets] and = signs",
    'title = "x = 1 # no comment"',
    "",
    "[transfer]",
    "xattrs = true # on",
    "exclude = [",
    '  "*.log", # first',
    '  "a]b",',
    "]",
    "[ 'odd key' . \"q\\u00e9\" ]",
    "a.b . c = { d = [1, {e = 2}], 'f' = '''",
    "multi \"\"\" line'''}",
    "[[host]]",
    'name = """a',
    '\\""" b""""" # quotes',
    "[[host]]",
    "[host.port]",
    "number = 1979-05-27 07:32:00",
  ].join("\n");

  const wanted: [KeyPath, string][] = [
    [["title"], "2:1"],
    [["transfer"], "4:2"],
    [["transfer", "xattrs"], "5:1"],
    [["transfer", "exclude", 0], "7:3"],
    [["transfer", "exclude", 1], "8:3"],
    [["odd key"], "10:3"],
    [["odd key", "qé"], "10:15"],
    [["odd key", "qé", "a", "b", "c"], "11:7"],
    [["odd key", "qé", "a", "b", "c", "d", 1, "e"], "11:22"],
    [["odd key", "qé", "a", "b", "c", "f"], "11:31"],
    [["host"], "13:3"],
    [["host", 0, "name"], "14:1"],
    [["host", 1], "16:3"],
    [["host", 1, "port", "number"], "18:1"],
  ];
  for (const [path, place] of wanted) {
    test(path.join("."), () => expect(at(text, path)).toBe(place));
  }

  test("the text is TOML, and what it does not hold has no place", () => {
    expect(() => parse(text)).not.toThrow();
    for (const path of [["none"], ["transfer", "a"], ["host", 2], ["host", "0"], ["number"]]) {
      expect(at(text, path)).toBeUndefined();
    }
  });

  test("the last line needs no line end, a byte order mark takes no column of a later line", () => {
    expect(at("\uFEFFa = 1\r\nb=2", ["b"])).toBe("2:1");
    expect(at("", ["a"])).toBeUndefined();
  });
});

test("no text sends it round in circles", () => {
  const piece = fc.constantFrom(
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    ".",
    '"',
    "'",
    "#",
    "\n",
    " ",
    "a",
    "\\",
  );
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join("")),
      (text) => {
        locateToml(text);
      },
    ),
    { numRuns: 2000 },
  );
});

/** A value and one of the ways to write it. */
type Tree = { kind: "leaf"; text: string } | { kind: "array"; items: Tree[] } | TableTree;
interface TableTree {
  kind: "table";
  entries: [string, Tree][];
}

const key = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[A-Za-z0-9_-]{1,4}$/) },
  { weight: 1, arbitrary: fc.string({ maxLength: 4 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("é", "a.b", "]", "=", "#", "", '"', "'", "\\", "\n", "{"),
  },
);
const leafText = fc.oneof(
  fc.string().map((text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f")),
  fc.constantFrom(
    "1",
    "-0.5e3",
    "true",
    "inf",
    "0x1F",
    "1979-05-27T07:32:00Z",
    "1979-05-27 07:32:00",
  ),
  fc.constantFrom(
    "''",
    "'a # ]}'",
    '"""x\n"y" \\""""',
    "'''\n''x'''''",
    '""',
    '"\\\\"',
    '"""\\\n  a"""',
  ),
);
const leaf = leafText.map((text): Tree => ({ kind: "leaf", text }));
const { table } = fc.letrec<{ tree: Tree; table: TableTree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    leaf,
    tie("table"),
    fc.array(tie("tree"), { maxLength: 3 }).map((items): Tree => ({ kind: "array", items })),
    // an array of tables, so that [[headers]] are common
    fc.array(tie("table"), { minLength: 1, maxLength: 3 }).map(
      (items): Tree => ({
        kind: "array",
        items,
      }),
    ),
  ),
  table: fc
    .uniqueArray(fc.tuple(key, tie("tree")), { maxLength: 4, selector: ([name]) => name })
    .map((entries): TableTree => ({ kind: "table", entries })),
}));

/** Writes the tree in ways that `style` picks: headers, dotted keys, inline, blanks, comments. */
function render(root: TableTree, style: () => number): string {
  const pick = <T>(...options: T[]): T => options[style() % options.length] as T;
  const blank = () => pick("", "", " ", "  ");
  const newline = () => pick("\n", "\n", "\r\n", " # [c] = {\n", "\n\n");
  const writeKey = (name: string): string => {
    const forms = [JSON.stringify(name).replaceAll("\u007f", "\\u007f")];
    if (/^[A-Za-z0-9_-]+$/.test(name)) forms.push(name, name);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: literal strings hold no controls
    if (!/['\u0000-\u001f\u007f]|\p{Surrogate}/u.test(name)) forms.push(`'${name}'`);
    return pick(...forms);
  };
  const dotted = (names: string[]) => names.map(writeKey).join(pick(".", ".", " . "));
  const inline = (tree: Tree): string => {
    if (tree.kind === "leaf") return tree.text;
    if (tree.kind === "table") {
      const pairs = tree.entries.map(([name, one]) => `${blank()}${writeKey(name)}=${inline(one)}`);
      return `{${pairs.join(",")}${blank()}}`;
    }
    const gap = () => pick("", " ", newline());
    const comma = tree.items.length > 0 ? pick("", ",") : "";
    const items = tree.items.map((one) => `${gap()}${inline(one)}${gap()}`);
    return `[${items.join(",")}${comma}${gap()}]`;
  };
  const isTables = (tree: Tree): tree is { kind: "array"; items: TableTree[] } =>
    tree.kind === "array" &&
    tree.items.length > 0 &&
    tree.items.every((one) => one.kind === "table");
  let text = "";
  const body = (node: TableTree, path: string[]) => {
    const later: (() => void)[] = [];
    for (const [name, tree] of node.entries) {
      const here = [...path, name];
      const only = tree.kind === "table" && tree.entries.length === 1 ? tree.entries[0] : undefined;
      if (tree.kind === "table" && pick(true, true, false)) {
        later.push(() => {
          text += `${blank()}[${blank()}${dotted(here)}${blank()}]${newline()}`;
          body(tree, here);
        });
      } else if (isTables(tree) && pick(true, true, false)) {
        later.push(() => {
          for (const item of tree.items) {
            text += `[[${blank()}${dotted(here)}${blank()}]]${newline()}`;
            body(item, here);
          }
        });
      } else if (only !== undefined && pick(true, false)) {
        const names = dotted([name, only[0]]);
        text += `${blank()}${names}${blank()}=${blank()}${inline(only[1])}${newline()}`;
      } else {
        text += `${blank()}${writeKey(name)}${blank()}=${blank()}${inline(tree)}${newline()}`;
      }
    }
    for (const write of later) write();
  };
  body(root, []);
  return text;
}

/** Every path of a parsed document, leaves and what holds them. */
function pathsOf(value: unknown, path: KeyPath = []): KeyPath[] {
  const own = path.length > 0 ? [path] : [];
  if (Array.isArray(value)) {
    return [...own, ...value.flatMap((item, index) => pathsOf(item, [...path, index]))];
  }
  if (typeof value !== "object" || value === null || value instanceof Date) return own;
  return [...own, ...Object.entries(value).flatMap(([name, one]) => pathsOf(one, [...path, name]))];
}

function valueAt(value: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>((inner, step) => (inner as Record<string, unknown>)[step], value);
}

test("every key of generated TOML is found, with the very text of its key and value", () => {
  const options = { useLegacyDate: true };
  let checked = 0;
  fc.assert(
    fc.property(table, fc.infiniteStream(fc.nat(1000)), (root, stream) => {
      const text = render(root, () => stream.next().value as number);
      const parsed = parse(text, options);
      const places = locateToml(text);
      const byId = (paths: KeyPath[]) => paths.map((path) => JSON.stringify(path)).sort();
      expect(byId(places.paths())).toEqual(byId(pathsOf(parsed)));
      for (const path of places.paths()) {
        const place = places.find(path);
        const name = path.findLast((step) => typeof step === "string");
        if (place?.key !== undefined) {
          const written = text.slice(place.key.start, place.key.end);
          expect(Object.keys(parse(`${written} = 1`))).toEqual([String(name)]);
        }
        if (place?.value !== undefined) {
          const written = text.slice(place.value.start, place.value.end);
          expect(parse(`x = ${written}`, options)["x"]).toEqual(valueAt(parsed, path) as never);
          checked += 1;
        }
        expect(place?.key ?? place?.value).toBeDefined();
      }
    }),
    { numRuns: 400 },
  );
  expect(checked).toBeGreaterThan(500);
});
