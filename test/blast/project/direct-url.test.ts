import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PepError } from "../../../src/blast/pep/error.ts";
import {
  directUrlOf,
  directUrlText,
  parseDirectReference,
  parseDirectUrl,
  readDirectReference,
  withoutCredentials,
} from "../../../src/blast/project/direct-url.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "blast-direct-"));
  mkdirSync(join(folder, "a b"));
  writeFileSync(join(folder, "x-1.zip"), "");
  writeFileSync(join(folder, "note.md"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("references", () => {
  test("folders and archives of this machine", () => {
    const directory = { kind: "directory", path: join(folder, "a b"), editable: false } as const;
    for (const text of ["a b", "./a b", "file:a%20b", `file://${folder}/a%20b`, "file:./a%20b"]) {
      expect(parseDirectReference(text, folder)).toEqual(directory);
    }
    expect(parseDirectReference("file:.#subdirectory=a%20b", folder)).toEqual(directory);
    expect(parseDirectReference("x-1.zip", folder)).toEqual({
      kind: "archive",
      url: `file://${folder}/x-1.zip`,
    });
  });

  test("repositories: revision, credentials, subdirectory", () => {
    const git = (text: string) => parseDirectReference(`git+${text}`, folder);
    expect(git("https://u:p@h/r.git")).toEqual({ kind: "git", url: "https://u:p@h/r.git" });
    expect(git("ssh://git@h/r.git@feature/x@2#subdirectory=./s")).toEqual({
      kind: "git",
      url: "ssh://git@h/r.git@feature/x",
      revision: "2",
      subdirectory: "s",
    });
    expect(git("file:///srv/r@abc")).toEqual({
      kind: "git",
      url: "file:///srv/r",
      revision: "abc",
    });
  });

  test("what the fragment says", () => {
    const hashes = { sha256: "ab", sha512: "cd" };
    expect(
      readDirectReference(
        "https://h/x.tar.gz?q=1#egg=n%5Be%5D&sha256=AB&sha512=cd&subdirectory=a",
        "",
      ),
    ).toEqual({
      source: { kind: "archive", url: "https://h/x.tar.gz?q=1", subdirectory: "a", hashes },
      hashes,
      egg: "n[e]",
    });
  });

  test("what is refused", () => {
    const bad = [
      "gone.zip",
      "note.md",
      "hg+https://h/r",
      "git+https://h/r@",
      "https://h/x.zip#subdirectory=../up",
      "https://h/x.zip#subdirectory=/etc",
      "https://",
      "file://other-host/x.zip",
    ];
    for (const text of bad) expect(() => parseDirectReference(text, folder)).toThrow(PepError);
  });
});

describe("direct_url.json", () => {
  const examples: [text: string, parsed: ReturnType<typeof parseDirectUrl>][] = [
    [
      '{"url":"https://h/p.zip","archive_info":{"hash":"sha256=2dc6"}}',
      { url: "https://h/p.zip", info: { kind: "archive", hashes: { sha256: "2dc6" } } },
    ],
    [
      '{"url":"https://h/p.zip","archive_info":{"hashes":{"sha256":"1","md5":"2"}}}',
      { url: "https://h/p.zip", info: { kind: "archive", hashes: { sha256: "1", md5: "2" } } },
    ],
    [
      '{"url":"https://h/r.git","vcs_info":{"vcs":"git","requested_revision":"1.3",' +
        '"commit_id":"7b"},"subdirectory":"s"}',
      {
        url: "https://h/r.git",
        info: { kind: "vcs", vcs: "git", requestedRevision: "1.3", commit: "7b" },
        subdirectory: "s",
      },
    ],
    [
      '{"url":"file:///home/u/p","dir_info":{"editable":true}}',
      { url: "file:///home/u/p", info: { kind: "directory", editable: true } },
    ],
    [
      '{"url":"file:///home/u/p","dir_info":{}}',
      { url: "file:///home/u/p", info: { kind: "directory", editable: false } },
    ],
  ];
  for (const [text, parsed] of examples) {
    test(text, () => {
      expect(parseDirectUrl(text)).toEqual(parsed);
      expect(parseDirectUrl(directUrlText(parsed))).toEqual(parsed);
    });
  }

  test("what PEP 610 does not allow", () => {
    const bad = [
      "",
      "[]",
      "{}",
      '{"url":1,"dir_info":{}}',
      '{"url":"file:///x"}',
      '{"url":"file:///x","dir_info":{},"archive_info":{}}',
      '{"url":"https://h/x","dir_info":{}}',
      '{"url":"file:///x","dir_info":{"editable":"yes"}}',
      '{"url":"https://h/x","vcs_info":{"vcs":"git"}}',
      '{"url":"https://h/x","archive_info":{"hash":"sha256"}}',
      '{"url":"https://h/x","archive_info":{"hash":"sha256=1","hashes":{"sha256":"2"}}}',
      '{"url":"https://h/x","archive_info":{"hashes":{"sha256":2}}}',
    ];
    for (const text of bad) expect(() => parseDirectUrl(text)).toThrow(PepError);
  });

  test("no credentials are written, but variables and git's user are", () => {
    expect(withoutCredentials("https://u:p@h/x")).toBe("https://h/x");
    expect(withoutCredentials("https://token@h/x@1")).toBe("https://h/x@1");
    expect(withoutCredentials("ssh://git@h/x")).toBe("ssh://git@h/x");
    const variables = ["https://$", "{U}:$", "{P}@h/x"].join("");
    expect(withoutCredentials(variables)).toBe(variables);
    const direct = directUrlOf(
      { kind: "git", url: "https://u:p@h/r", revision: "v1" },
      { commit: "abc" },
    );
    expect(directUrlText(direct)).toBe(
      '{"url":"https://h/r","vcs_info":{"vcs":"git","requested_revision":"v1","commit_id":"abc"}}',
    );
    expect(directUrlText(directUrlOf({ kind: "directory", path: "/a b", editable: true }))).toBe(
      '{"url":"file:///a%20b","dir_info":{"editable":true}}',
    );
    const archive = directUrlOf(
      { kind: "archive", url: "https://h/x.zip" },
      { hashes: { sha256: "1" } },
    );
    expect(directUrlText(archive)).toBe(
      '{"url":"https://h/x.zip","archive_info":{"hash":"sha256=1","hashes":{"sha256":"1"}}}',
    );
  });
});
