import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { IniError, parseIni } from "../../../src/blast/project/ini.ts";
import { readPipConfig, readPipEntries } from "../../../src/blast/project/pip-config.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { needsOraclePython, oraclePython } from "../../support/python-tools.ts";
import { testUnless } from "../../support/skip.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "blast-pip-config-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

const environment = (more: Record<string, string> = {}) => ({
  HOME: join(folder, "home"),
  XDG_CONFIG_DIRS: join(folder, "etc"),
  ...more,
});

test("sections, spellings, lists, flags, and where each value comes from", () => {
  const path = write(
    "home/.config/pip/pip.conf",
    "[global]\nindex_url = https://g/\ntimeout: 20\n" +
      "extra-index-url =\n  https://a/\n  https://b/\n" +
      "trusted-host = h1 h2:8\n[install]\nindex-url = https://i/\nno-binary = x,Y_y\n" +
      "[download]\nindex-url = https://d/\n",
  );
  const config = readPipConfig({
    environment: environment({
      PIP_RETRIES: "0",
      PIP_NO_CACHE_DIR: "false",
      PIP_PRE: "",
      PIP_CERT: "/c",
    }),
  });
  const { originOf, formats, ...values } = config;
  expect(values as object).toEqual({
    indexUrl: "https://i/",
    extraIndexUrls: ["https://a/", "https://b/"],
    trustedHosts: ["h1", "h2:8"],
    timeoutSeconds: 20,
    retries: 0,
    noCache: true,
    cert: "/c",
  });
  expect([...(formats?.noBinary ?? [])]).toEqual(["x", "y-y"]);
  expect([originOf("indexUrl"), originOf("retries"), originOf("proxy")]).toEqual([
    `${path}:9`,
    "PIP_RETRIES",
    undefined,
  ]);
});

test("a variable goes before every file", () => {
  const config = readPipConfig({ environment: environment({ PIP_INDEX_URL: "https://e/" }) });
  expect(config.indexUrl).toBe("https://e/");
});

test("values that are wrong are told with their place", () => {
  const told = (more: Record<string, string>) => {
    try {
      readPipConfig({ environment: environment(more) });
    } catch (error) {
      if (error instanceof Fault) return error.message;
    }
    throw new Error("no fault");
  };
  expect(told({ PIP_PRE: "maybe" })).toBe(
    'Cannot use "PIP_PRE": "pre" is "maybe", but must be true or false',
  );
  expect(told({ PIP_RETRIES: "x" })).toContain("must be a whole number");
  const bad = write("bad.conf", "[global]\nx\n");
  expect(told({ PIP_CONFIG_FILE: bad })).toBe(`Cannot use "${bad}:2"`);
});

describe("ini", () => {
  const plain = (text: string) =>
    Object.fromEntries(
      [...parseIni(text)].map(([name, values]) => [
        name,
        Object.fromEntries([...values].map(([key, { value }]) => [key, value])),
      ]),
    );

  test("continuations, comments, blank lines, defaults", () => {
    expect(
      plain(
        "[DEFAULT]\nd = 1\n[a]\nX = 1\n  2\n  # c\n\n  3\n; no\ny : = z ; kept\n\n" +
          "[b c] # x\ne =\nd=2\n",
      ),
    ).toEqual({ a: { d: "1", x: "1\n2\n\n3", y: "= z ; kept" }, "b c": { d: "2", e: "" } });
  });

  test("what is none", () => {
    for (const text of ["a = 1", "[a]\nx", "[a]\n= 1", "[a]\nx=1\nX=2", "[a]\n[a]"]) {
      expect(() => parseIni(text)).toThrow(IniError);
    }
  });
});

const PYTHON = oraclePython();
const withPip = testUnless(needsOraclePython());

const INI = `
import configparser, json, sys
out = []
for text in json.load(sys.stdin):
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
        out.append({s: dict(parser.items(s)) for s in parser.sections()})
    except configparser.Error:
        out.append("error")
json.dump(out, sys.stdout)
`;

function python(script: string, input: unknown, env: Record<string, string> = {}): unknown {
  const result = Bun.spawnSync([PYTHON ?? "python3", "-c", script], {
    stdin: Buffer.from(JSON.stringify(input)),
    env: { PATH: process.env["PATH"], HOME: folder, PYTHONUTF8: "1", ...env },
  });
  if (!result.success) throw new Error(result.stderr.toString());
  return JSON.parse(result.stdout.toString());
}

withPip("any text is read as configparser reads it", () => {
  const piece = fc.constantFrom(
    ..."[a]|[b]|[DEFAULT]|[a b] # x|x = 1|X: 2|y=|z|= 1".split("|"),
    ..."# c|; c|  # c|  more|\t deep|   = q| | [c]".split("|"),
    "",
    "k = v = w ; c",
  );
  const texts = fc.sample(
    fc.array(piece, { maxLength: 9 }).map((lines) => `[s]\n${lines.join("\n")}`),
    { numRuns: 3000 },
  );
  const theirs = python(INI, texts) as unknown[];
  let right = 0;
  for (const [index, text] of texts.entries()) {
    let got: unknown;
    try {
      got = Object.fromEntries(
        [...parseIni(text)].map(([name, values]) => [
          name,
          Object.fromEntries([...values].map(([key, { value }]) => [key, value])),
        ]),
      );
      right += 1;
    } catch (error) {
      if (!(error instanceof IniError)) throw error;
      got = "error";
    }
    expect([text, got]).toEqual([text, theirs[index]]);
  }
  expect(right).toBeGreaterThan(300);
});

const LIST = `
import json, sys
from pip._internal.configuration import Configuration
configuration = Configuration(isolated=False)
configuration.load()
merged = {}
for _, values in configuration.items():
    merged.update(values)
json.dump(merged, sys.stdout)
`;

withPip(
  "files and variables override each other as in pip",
  () => {
    const set = (name: string, keys: string) =>
      write(name, `[global]\n${keys}[install]\ni = ${name}\n`);
    set("etc/pip/pip.conf", "a = etc\nb = etc\nc = etc\nd = etc\ne = etc\n");
    set("home/.pip/pip.conf", "b = legacy\nc = legacy\nd = legacy\n");
    set("home/.config/pip/pip.conf", "c = user\nd = user\nindex-url =\n  x\n  y\n");
    const own = set("own.conf", "d = own\nTIMEOUT = 3\n");
    const cases: Record<string, string>[] = [
      {},
      { PIP_CONFIG_FILE: own, PIP_SOME_THING: "v" },
      { PIP_CONFIG_FILE: join(folder, "absent.conf"), PIP_VERSION: "1" },
      { PIP_CONFIG_FILE: "/dev/null", PIP_INDEX_URL: "https://h/" },
    ];
    const prefix = python("import json, sys; json.dump(sys.prefix, sys.stdout)", 0) as string;
    for (const more of cases) {
      const env = environment(more);
      const entries = readPipEntries({ environment: env, prefix });
      const got = Object.fromEntries([...entries].map(([key, { value }]) => [key, value]));
      expect(got).toEqual(python(LIST, 0, env) as Record<string, string>);
    }
  },
  60_000,
);
