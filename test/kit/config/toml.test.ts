import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parse } from "smol-toml";
import { parseToml, readTomlFile, tomlOrigin } from "../../../src/kit/config/toml.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

/** Dates of the one parser and of the other as text. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, one: unknown) => (Object.is(one, -0) ? "-0" : one)).replaceAll(
      /(\d\d:\d\d:\d\d)\.000/g,
      "$1",
    ),
  );
}

async function outcome(text: string): Promise<unknown> {
  try {
    return plain((await parseToml("x.toml", text)).values);
  } catch (error) {
    if (error instanceof Fault) return "fault";
    throw error;
  }
}

function expected(text: string): unknown {
  try {
    return plain(parse(text, { useLegacyDate: true }));
  } catch {
    return "fault";
  }
}

describe("Bun's parser and smol-toml read the same", () => {
  const samples = [
    "a=1\na=2",
    "[a]\n[a]\n",
    "a={b=1,\n}",
    "a=1\r\nb=2",
    "a=2020-01-01T00:00:00Z",
    "a=2020-01-01\nb=07:32:00\nc=2020-01-01T10:00:00",
    "[a.b]\n[a]\nb.c=1",
    "a=[{x=1}]\n[[a]]\n",
    "[[a]]\nb=1\n[[a]]\n[a.c]\nd='x'",
    'a="\\u00e9\\x41\\e"',
    'm="""\na\\\n  b"""',
    "f=[1,2.5,0x10,1_000,-0]",
    "a.b.c=1\na.b.d=2",
  ];
  for (const text of samples) {
    test(JSON.stringify(text), async () => expect(await outcome(text)).toEqual(expected(text)));
  }

  test("texts made of TOML's own pieces", async () => {
    const piece = fc.constantFrom(
      ...'a b a.b = = [ ] [[ ]] { } , , 1 1.5 true "y" # 2020-01-01 \\ inf'.split(" "),
      ..."'c' 'x' '''".split(" "),
      ...["\n", "\n", "\r\n", " "],
    );
    let right = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 14 }), async (pieces) => {
        const text = pieces.join("");
        const got = await outcome(text);
        if (got !== "fault") right += 1;
        expect(got).toEqual(expected(text));
      }),
      { numRuns: 2000 },
    );
    expect(right).toBeGreaterThan(50);
  });
});

test("what is no TOML is told with line and column", async () => {
  const fault = await parseToml("x.toml", "a = 1\nb = [\n").catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(Fault);
  expect((fault as Fault).message).toMatch(/^Cannot read "x\.toml:\d:\d": /);
});

test("a file that is absent is undefined; the origin is the nearest place", async () => {
  expect(await readTomlFile("/nonexistent/x.toml")).toBeUndefined();
  const file = await parseToml("x.toml", "# c\n[a]\nb = [\n  1,\n  2,\n]\n");
  expect(tomlOrigin(file, ["a", "b", 1])).toBe("x.toml:5");
  expect(tomlOrigin(file, ["a", "b", 7])).toBe("x.toml:3");
  expect(tomlOrigin(file, ["z"])).toBe("x.toml");
});
