import { expect, test } from "bun:test";
import fc from "fast-check";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { parsePacmanConfig } from "../../../src/rastos/package/pacman-conf.ts";

const none = () => [];
const parse = (text: string) => parsePacmanConfig({ path: "/etc/pacman.conf", text }, none);

test("options, repositories and what they include", () => {
  const text = `
    # a comment
    [options]
    Architecture = auto x86_64
    SigLevel    = Required DatabaseOptional
    LocalFileSigLevel = Optional
    IgnorePkg = linux nvidia
    IgnorePkg = zfs
    IgnoreGroup = kde
    DownloadUser = alpm
    NoUpgrade = etc/passwd etc/group
    NoExtract = usr/share/doc/* !usr/share/doc/a
    CheckSpace
    HoldPkg = pacman

    [core]
    Include = /etc/pacman.d/mirrorlist
    [custom]
    SigLevel = Optional TrustAll
    Server = file:///home/$repo
    Server = https://example.org/$repo/os/$arch
    Include = /etc/pacman.d/*.conf
  `;
  const files: Record<string, string> = {
    "/etc/pacman.d/mirrorlist": "Server = https://one/$repo\n#Server = https://no\n",
    "/etc/pacman.d/*.conf": "Server = https://three\n[more]\nServer = https://four",
  };
  const config = parsePacmanConfig({ path: "/etc/pacman.conf", text }, (path) => [
    { path, text: files[path] ?? "" },
  ]);
  expect(config).toEqual({
    repositories: [
      { name: "core", servers: ["https://one/$repo"] },
      {
        name: "custom",
        servers: ["file:///home/$repo", "https://example.org/$repo/os/$arch", "https://three"],
        signatureLevel: "Optional TrustAll",
      },
      { name: "more", servers: ["https://four"] },
    ],
    signatureLevel: "Required DatabaseOptional",
    fileSignatureLevel: "Optional",
    architecture: "x86_64",
    ignored: ["linux", "nvidia", "zfs"],
    ignoredGroups: ["kde"],
    downloadUser: "alpm",
    keptFiles: ["etc/passwd", "etc/group"],
    leftOutFiles: ["usr/share/doc/*", "!usr/share/doc/a"],
  });
});

test("what is wrong is said with its place", () => {
  const cases: Record<string, string> = {
    "Server = x": 'Cannot use "/etc/pacman.conf:1": "Server" stands before the first section',
    "[a]\nServer =": 'Cannot use "/etc/pacman.conf:2": Server names none',
    "[a/b]": 'Cannot use "/etc/pacman.conf:1": "a/b" is no name of a repository',
    "[../x]": 'Cannot use "/etc/pacman.conf:1": "../x" is no name of a repository',
    "[a]\nSigLevel = Sometimes":
      'Cannot use "/etc/pacman.conf:2": Cannot understand the SigLevel "Sometimes": "Sometimes" ' +
      "is no word of it",
    "[a]\nInclude": 'Cannot use "/etc/pacman.conf:2": Include names no file',
  };
  for (const [text, message] of Object.entries(cases)) {
    expect(() => parse(text)).toThrow(message);
  }
});

test("a file that includes itself ends", () => {
  const file = { path: "/a", text: "[x]\nInclude = /a" };
  expect(() => parsePacmanConfig(file, () => [file])).toThrow("more than 10 files");
});

const word = fc.stringMatching(/^[a-z][a-z0-9_.+-]{0,8}$/).filter((name) => name !== "options");
const repository = fc.record({
  name: word,
  servers: fc.array(
    word.map((host) => `https://${host}/$repo`),
    { maxLength: 3 },
  ),
  signatureLevel: fc.option(fc.constantFrom("Never", "Required TrustAll"), { nil: undefined }),
});

test("what is written is read again", () => {
  const repositories = fc.uniqueArray(repository, { selector: ({ name }) => name, maxLength: 4 });
  fc.assert(
    fc.property(repositories, fc.array(word), (wanted, ignored) => {
      const lines = [`[options]`, ...ignored.map((name) => `IgnorePkg=${name}`)];
      for (const { name, servers, signatureLevel } of wanted) {
        lines.push(`  [${name}]  `, ...servers.map((server) => `Server   =${server} `));
        if (signatureLevel !== undefined) lines.push(`SigLevel = ${signatureLevel}`);
      }
      const read = parse(lines.join("\n"));
      const expected = wanted.map(({ signatureLevel, ...rest }) =>
        signatureLevel === undefined ? rest : { ...rest, signatureLevel },
      );
      expect(read.repositories).toEqual(expected);
      expect(read.ignored).toEqual(ignored);
    }),
  );
});

test("any text is read, or refused in words", () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom("[a]", "[options]", "Server = x", "SigLevel = Never", "Include = /x", "#"),
  );
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      try {
        parse(lines.join("\n"));
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
    }),
  );
});
