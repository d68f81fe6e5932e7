/** Generated requirements files, read by us and by the parser of a pip of the machine. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { PepError } from "../../../src/blast/pep/error.ts";
import { logicalLines } from "../../../src/blast/project/requirements-lines.ts";
import { parseLine } from "../../../src/blast/project/requirements-options.ts";
import { readRequirementsFiles } from "../../../src/blast/project/requirements-txt.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { needsOraclePython, oraclePython } from "../../support/python-tools.ts";
import { testUnless } from "../../support/skip.ts";

const folder = mkdtempSync(join(tmpdir(), "blast-pip-requirements-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PYTHON = oraclePython();

function python(script: string, input: unknown): unknown {
  const result = Bun.spawnSync([PYTHON ?? "python3", "-c", script], {
    stdin: Buffer.from(JSON.stringify(input)),
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: folder, NAME_1: "value", PYTHONUTF8: "1" },
  });
  if (!result.success) throw new Error(result.stderr.toString());
  return JSON.parse(result.stdout.toString());
}

const withPip = testUnless(needsOraclePython());
const ENVIRONMENT = { NAME_1: "value" };
const VARIABLES = ["NAME_1", "UNSET", "lower"].map((name) => ["$", `{${name}}`].join(""));

const piece = fc.constantFrom(
  ..."a foo==1 -r x.txt -c -e . --hash=sha256:ab --hash sha512:cd -i https://h/ --pre".split(" "),
  ..."--extra-index-url --extra --no-index --no --find-links=l -fl --no-binary :all: x,Y".split(
    " ",
  ),
  ..."--only-binary=z --require-hashes --trusted-host h --prefer-binary --bad -q -- -".split(" "),
  ...'--config-settings k=v -Ck=w --config-setting=a=b --no-r \'q q\' "d\\"" \' " \\ # ; #x'.split(
    " ",
  ),
  ..."--no-require-hashes --all-releases=:all: --only-final b --all a#b --p".split(" "),
  ...VARIABLES,
  ..." | | | |  |\t|\n|\n|\n|\\\n|\\\r\n|\r|\f|\x85|\\\\\n".split("|"),
  ..." # c\n, #\n,\n#,\\,=,é,\u2028".split(","),
);
const content = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(""));

const LINES = `
import json, sys, logging
logging.disable(logging.CRITICAL)
from pip._internal.req.req_file import preprocess, get_line_parser, OptionParsingError
sys.stderr = open("/dev/null", "w")
parse = get_line_parser(None)
out = []
for content in json.load(sys.stdin):
    lines = []
    for number, line in preprocess(content):
        try:
            args, opts = parse(line)
        except OptionParsingError:
            lines.append([number, line, "error"])
            continue
        except Exception as error:
            lines.append([number, line, "error"])
            continue
        lines.append([number, line, args.strip(), {
            "index-url": opts.index_url,
            "extra-index-url": opts.extra_index_urls,
            "no-index": opts.no_index,
            "constraint": opts.constraints or [],
            "requirement": opts.requirements or [],
            "editable": opts.editables or [],
            "find-links": opts.find_links,
            "prefer-binary": opts.prefer_binary,
            "require-hashes": opts.require_hashes,
            "no-require-hashes": opts.no_require_hashes,
            "pre": opts.pre,
            "trusted-host": opts.trusted_hosts,
            "hash": sorted(a + ":" + d for a, l in (opts.hashes or {}).items() for d in l),
            "config-settings": opts.config_settings or {},
        }])
    out.append(lines)
json.dump(out, sys.stdout)
`;

/** Our reading of a text in the shape that the script above prints. */
function ours(text: string): unknown {
  return logicalLines(text, ENVIRONMENT).map(({ number, text: line }) => {
    try {
      const { argument, options } = parseLine(line);
      const all = (name: string) =>
        options.filter((one) => one.name === name).map(({ value }) => value);
      const flag = (name: string) => all(name).length > 0;
      const settings: Record<string, unknown> = {};
      for (const value of all("config-settings")) {
        const [, key = "", inner = ""] = /^([^=]*)=(.*)$/s.exec(value) ?? [];
        settings[key] = key in settings ? [settings[key], inner].flat() : inner;
      }
      return [
        number,
        line,
        argument.trim(),
        {
          "index-url": all("index-url").at(-1) ?? null,
          "extra-index-url": all("extra-index-url"),
          "no-index": flag("no-index"),
          constraint: all("constraint"),
          requirement: all("requirement"),
          editable: all("editable"),
          "find-links": all("find-links"),
          "prefer-binary": flag("prefer-binary"),
          "require-hashes": flag("require-hashes"),
          "no-require-hashes": flag("no-require-hashes"),
          pre: flag("pre"),
          "trusted-host": all("trusted-host"),
          hash: all("hash").sort(),
          "config-settings": settings,
        },
      ];
    } catch (error) {
      if (error instanceof PepError) return [number, line, "error"];
      throw error;
    }
  });
}

withPip(
  "lines and options of any text",
  () => {
    const contents = fc.sample(content, { numRuns: 3000 });
    const theirs = python(LINES, contents) as unknown[];
    let lines = 0;
    let errors = 0;
    for (const [index, text] of contents.entries()) {
      const got = ours(text) as unknown[][];
      lines += got.length;
      errors += got.filter((line) => line[2] === "error").length;
      expect([text, got]).toEqual([text, theirs[index] as unknown[][]]);
    }
    expect([lines > 2000, errors > 300, errors < lines * 0.8]).toEqual([true, true, true]);
  },
  60_000,
);

const FILES = `
import json, os, sys, logging
logging.disable(logging.CRITICAL)
from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.format_control import FormatControl
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.network.session import PipSession
from pip._internal.req.req_file import parse_requirements
from optparse import Values
out = []
session = PipSession()
for path in json.load(sys.stdin):
    scope = SearchScope.create(find_links=[], index_urls=["BASE"], no_index=False)
    control = FormatControl(set(), set())
    finder = PackageFinder.create(
        LinkCollector(session=session, search_scope=scope),
        SelectionPreferences(allow_yanked=True, format_control=control),
    )
    options = Values({"require_hashes": False, "features_enabled": []})
    try:
        found = list(parse_requirements(path, session, finder=finder, options=options))
    except Exception as error:
        out.append("error")
        continue
    control = finder.format_control
    out.append({
        "requirements": [
            [r.requirement.strip(), r.is_editable, r.constraint, r.comes_from,
             sorted(a + ":" + d for a, l in (r.options or {}).get("hashes", {}).items() for d in l)]
            for r in found
        ],
        "indexes": finder.index_urls,
        "links": finder.find_links,
        "pre": ":all:" in (finder.release_control.all_releases if finder.release_control else []),
        "binary": [sorted(control.no_binary), sorted(control.only_binary)],
        "require": options.require_hashes,
    })
json.dump(out, sys.stdout)
`;

const name = fc.constantFrom(
  "a",
  "b>=1",
  "C.c[x]==1.*",
  "d ; os_name == 'posix'",
  "e @ https://h/e.zip",
);
const hash = fc.constantFrom("", " --hash=sha256:ab", " \\\n  --hash sha256:cd --hash=sha512:ef");
const comment = fc.constantFrom("", "", "  # note", "   ");
const requirementLine = fc.tuple(name, hash, comment).map((parts) => parts.join(""));
const optionLine = fc.constantFrom(
  ..."-e pkg|-e ./pkg|-r sub/s.txt|-c limits.txt|-r  loop.txt|--pre|--no-index|-f links".split("|"),
  ..."--find-links gone|--no-binary :all:|--no-binary a,B_b|--only-binary b,c.c".split("|"),
  ..."--only-binary=:all:|--no-binary=:none:|--require-hashes|--index-url https://i/".split("|"),
  ..."--extra-index-url https://x/|--trusted-host h|# comment||--prefer-binary".split("|"),
);
const wholeFile = fc
  .array(fc.oneof(requirementLine, optionLine), { maxLength: 10 })
  .map((lines) => `${lines.join("\n")}\n`)
  // pip forgets extra indexes that stand above an --index-url and options above --no-index; we
  // take them whatever the order.
  .filter((text) => !/extra-index-url[\s\S]*--index-url|index-url[\s\S]*--no-index/.test(text));

async function oursOf(path: string): Promise<unknown> {
  try {
    const files = await readRequirementsFiles([{ path, constraint: false }], {
      base: folder,
      environment: ENVIRONMENT,
    });
    const { noIndex, indexUrl, extraIndexUrls, findLinks, formats } = files;
    const of = (list: typeof files.requirements, constraint: boolean) =>
      list.map(({ text, editable, origin, hashes }) => {
        const [, file, line] = /^(.*):(\d+)$/.exec(origin) ?? [];
        return [
          text.trim(),
          editable,
          constraint,
          `${constraint ? "-c" : "-r"} ${file} (line ${line})`,
          [...hashes].sort(),
        ];
      });
    return {
      requirements: [...of(files.requirements, false), ...of(files.constraints, true)],
      indexes: noIndex
        ? []
        : [indexUrl?.value ?? "BASE", ...extraIndexUrls.map(({ value }) => value)],
      links: findLinks.map(({ value }) => value),
      pre: files.preReleases,
      binary: [[...formats.noBinary].sort(), [...formats.onlyBinary].sort()],
      require: files.requireHashes,
    };
  } catch (error) {
    if (error instanceof Fault) return "error";
    throw error;
  }
}

/**
 * pip keeps constraints where they stand, we keep them apart; with it too a hash implies
 * --require-hashes, though later; it shows whole paths of what is included.
 */
function adapted(theirs: unknown): unknown {
  if (theirs === "error") return theirs;
  const wanted = theirs as Record<string, unknown>;
  const list = (wanted["requirements"] as unknown[][]).map((one) =>
    one.map((part) => (typeof part === "string" ? part.replace(`${folder}/`, "") : part)),
  );
  const links = wanted["links"] as string[];
  return {
    ...wanted,
    requirements: [...list.filter((one) => one[2] === false), ...list.filter((one) => one[2])],
    links: links.map((one) => resolve(folder, one)),
    require: wanted["require"] || list.some((one) => (one[4] as string[]).length > 0),
  };
}

withPip(
  "whole files with what they include",
  async () => {
    for (const sub of ["sub", "pkg", "links"]) mkdirSync(join(folder, sub), { recursive: true });
    writeFileSync(join(folder, "pkg/pyproject.toml"), "");
    writeFileSync(join(folder, "sub/s.txt"), "s1\n-c ../limits.txt\n");
    writeFileSync(join(folder, "limits.txt"), "b<9\n");
    writeFileSync(join(folder, "loop.txt"), "l1\n");
    const contents = fc.sample(wholeFile, { numRuns: 400 });
    const paths = contents.map((text, index) => {
      writeFileSync(join(folder, `${index}.txt`), text);
      return `${index}.txt`;
    });
    const theirs = python(FILES, paths) as unknown[];
    for (const [index, path] of paths.entries()) {
      const got = await oursOf(path);
      expect([contents[index] ?? "", got]).toEqual([contents[index] ?? "", adapted(theirs[index])]);
    }
  },
  60_000,
);

test("the generators make what they are meant to make", () => {
  const all = fc.sample(wholeFile, { numRuns: 200 }).join("");
  for (const part of ["--hash", "-r sub/s.txt", "--only-binary"]) expect(all).toContain(part);
});
