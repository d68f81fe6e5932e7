import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { z } from "zod";
import { type ConfigFile, loadConfig } from "../../../src/kit/config/load.ts";
import type { ConfigProblem } from "../../../src/kit/config/problems.ts";
import { causeMessages, Fault } from "../../../src/kit/fault/fault.ts";

const schema = z.strictObject({
  transfer: z
    .strictObject({
      owner: z.boolean().default(true),
      exclude: z.array(z.string()).default([]),
      mode: z.enum(["fast", "safe"]).default("safe"),
      retries: z.int().min(1).default(3),
    })
    .prefault({}),
  host: z.array(z.strictObject({ name: z.string(), port: z.int().optional() })).default([]),
  label: z.record(z.string(), z.string()).default({}),
});

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kit-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array, layer: ConfigFile["name"] = "user") {
  const path = join(folder, name);
  writeFileSync(path, content);
  return { name: layer, path } satisfies ConfigFile;
}

async function faultOf(files: readonly ConfigFile[]): Promise<Fault> {
  try {
    await loadConfig({ schema, files });
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("no fault");
}

/** The message with the folder of this run taken out. */
async function messages(content: string | Uint8Array): Promise<(string | undefined)[]> {
  const fault = await faultOf([file("c.toml", content)]);
  expect([fault.code, fault.exit]).toEqual(["E_CONFIG", 2]);
  const all = [fault.message, ...causeMessages(fault), fault.hint];
  return all.filter((text) => text !== undefined).map((text) => text.replaceAll(`${folder}/`, ""));
}

describe("what is wrong is said with its place", () => {
  test("an unknown key, with the nearest one", async () => {
    expect(await messages("# c\n[transfer]\nowner = true\nownr = false\n")).toEqual([
      'Cannot use "c.toml:4:1": unknown key "ownr" in [transfer]',
      'did you mean "owner"?',
    ]);
  });

  test("an unknown section, with what is known", async () => {
    expect(await messages("[network]\nx = 1\n")).toEqual([
      'Cannot use "c.toml:1:2": unknown key "network"',
      'known here: "transfer", "host", "label"',
    ]);
  });

  test("inside an array of tables and a dotted key", async () => {
    expect(await messages('[[host]]\nname = "a"\n[[host]]\nname = "b"\nprt = 1\n')).toEqual([
      'Cannot use "c.toml:5:1": unknown key "prt" in [host[1]]',
      'did you mean "port"?',
    ]);
    expect((await messages("transfer.excludes = []"))[0]).toContain('c.toml:1:10": unknown key');
  });

  test("a wrong type: what was given, what is wanted", async () => {
    expect(await messages('[transfer]\n  owner =  "yes"\n')).toEqual([
      'Cannot use "c.toml:2:12": "transfer.owner" is the text "yes", but must be true or false',
    ]);
    expect(await messages("transfer = 1")).toEqual([
      'Cannot use "c.toml:1:12": "transfer" is 1, but must be a table',
    ]);
    expect(await messages("[transfer]\nexclude = [\n 'a',\n 7]")).toEqual([
      'Cannot use "c.toml:4:2": "transfer.exclude[1]" is 7, but must be text in quotes',
    ]);
    expect((await messages("[transfer]\nretries = 1.5"))[0]).toContain("1.5, but must be a whole");
    expect((await messages("[label]\na = 1979-05-27"))[0]).toContain("a date, but must be text");
    expect((await messages("[transfer]\nowner = []"))[0]).toContain("a list, but must be true");
  });

  test("a value that is none of the words, or out of range", async () => {
    expect(await messages("[transfer]\nmode = 'fst'")).toEqual([
      'Cannot use "c.toml:2:8": "transfer.mode" is the text "fst", but must be "fast" or "safe"',
    ]);
    expect((await messages("[transfer]\nretries = 0"))[0]).toMatch(
      /2:11": "transfer.retries" is 0:/,
    );
  });

  test("what is no TOML: the line itself", async () => {
    expect(await messages("[transfer]\n  owner = yess\n")).toEqual([
      'Cannot read "c.toml:2:11": invalid value, in the line "owner = yess"',
    ]);
    expect(await messages(Uint8Array.of(0x61, 0xff))).toEqual([
      'Cannot read "c.toml": it is no UTF-8 text',
    ]);
  });

  test("several problems are all told", async () => {
    const content = "[transfer]\nownr = 1\nmode = 'x'\n[other]\n";
    expect(await messages(content)).toEqual([
      'Cannot use "c.toml": 3 problems',
      'c.toml:2:1: unknown key "ownr" in [transfer] (did you mean "owner"?)',
      'c.toml:3:8: "transfer.mode" is the text "x", but must be "fast" or "safe"',
      'c.toml:4:2: unknown key "other" (known here: "transfer", "host", "label")',
    ]);
    const many = Array.from({ length: 9 }, (_, n) => `k${n} = 1`).join("\n");
    const told = await messages(many);
    expect(told).toHaveLength(6);
    expect(told.at(-1)).toBe("and 5 more");
    const fault = await faultOf([file("c.toml", many)]);
    expect(fault.details["problems"]).toHaveLength(9);
  });

  test("of all files", async () => {
    const fault = await faultOf([file("a.toml", "x = 1"), file("b.toml", "y = 1", "project")]);
    expect(fault.message).toContain("a.toml");
    expect(fault.message).toContain("b.toml");
  });

  test("any unknown key in any place is found at its line", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.stringMatching(/^z[a-z]{1,5}$/), async (lines, key) => {
        const text = `${"# comment\n".repeat(lines)}[transfer]\n${key} = 1\n`;
        const [problem] = (await faultOf([file("p.toml", text)])).details["problems"] as [
          ConfigProblem,
        ];
        expect(problem).toMatchObject({ line: lines + 2, column: 1, key: `transfer.${key}` });
      }),
      { numRuns: 30 },
    );
  });
});

describe("layers", () => {
  test("files under environment and flags, each value with its place", async () => {
    const loaded = await loadConfig({
      schema,
      files: [
        file("sys.toml", "[transfer]\nowner = false\nretries = 5\n", "system"),
        file("user.toml", "\n[transfer]\nretries = 6\nexclude = ['a']\n"),
        { name: "project", path: join(folder, "absent.toml") },
      ],
      layers: [{ name: "flags", values: { transfer: { mode: "fast" } }, originOf: () => "--mode" }],
    });
    expect(loaded.values.transfer).toEqual({
      owner: false,
      retries: 6,
      exclude: ["a"],
      mode: "fast",
    });
    expect(loaded.originOf(["transfer", "owner"])).toBe(join(folder, "sys.toml:2"));
    expect(loaded.originOf(["transfer", "retries"])).toBe(join(folder, "user.toml:3"));
    expect(loaded.originOf(["transfer", "exclude", 0])).toBe(join(folder, "user.toml:4"));
    expect(loaded.originOf(["transfer", "mode"])).toBe("--mode");
    expect(loaded.originOf(["host"])).toBe("default");
  });

  test("what one file lacks another may have, and none at all is told", async () => {
    const needy = z.strictObject({ name: z.string(), size: z.int() });
    const half = file("half.toml", "size = 1");
    const other = file("other.toml", "name = 'x'", "project");
    const loaded = await loadConfig({ schema: needy, files: [half, other] });
    expect(loaded.values).toEqual({ name: "x", size: 1 });
    expect(loadConfig({ schema: needy, files: [half] })).rejects.toThrow('"name"');
  });

  test("a byte order mark and DOS line ends are taken", async () => {
    const loaded = await loadConfig({
      schema,
      files: [file("dos.toml", "\uFEFF[transfer]\r\nowner = false\r\n")],
    });
    expect(loaded.values.transfer.owner).toBe(false);
    expect(loaded.originOf(["transfer", "owner"])).toEndWith("dos.toml:2");
  });

  test("a folder in the place of the file is told", async () => {
    mkdirSync(join(folder, "d.toml"));
    const fault = await faultOf([{ name: "user", path: join(folder, "d.toml") }]);
    expect(fault.message).toContain("Cannot read");
    expect(fault.details["errno"]).toBe("EISDIR");
  });
});
