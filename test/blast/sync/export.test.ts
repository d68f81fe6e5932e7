import { describe, expect, test } from "bun:test";
import { pylockOf } from "../../../src/blast/project/pylock.ts";
import { exportRequirements } from "../../../src/blast/sync/export.ts";
import { parseToml } from "../../../src/kit/config/toml.ts";

const HASH = "0".repeat(64);

/** The line of a package whose entry has this source. */
async function lineOf(source: string): Promise<string | undefined> {
  const text = `
lock-version = "1.0"
created-by = "x"
[[packages]]
name = "demo"
version = "1.0"
${source}
`;
  const lock = pylockOf(await parseToml("pylock.toml", text), "/the project");
  const selection = { extras: new Set<never>(), groups: new Set<string>() };
  return exportRequirements(lock, selection, { hashes: false }).split("\n")[1];
}

const hashes = `hashes = { sha256 = "${HASH}" }`;
const archive = (pairs: string): string => `archive = { ${pairs}, ${hashes} }`;

describe("lines that pip and uv both take", () => {
  test.each([
    [archive('url = "https://h/m.tar.gz"'), "demo @ https://h/m.tar.gz"],
    [
      archive('url = "https://h/m.tar.gz", subdirectory = "packages/demo"'),
      "demo @ https://h/m.tar.gz#subdirectory=packages/demo",
    ],
    [
      archive('url = "https://h/m.tar.gz#egg=demo", subdirectory = "in"'),
      "demo @ https://h/m.tar.gz#egg=demo&subdirectory=in",
    ],
    [
      archive('url = "https://h/m.tar.gz#subdirectory=in", subdirectory = "in"'),
      "demo @ https://h/m.tar.gz#subdirectory=in",
    ],
    [archive('path = "dist/demo-1.0.tar.gz"'), "./dist/demo-1.0.tar.gz"],
    [archive('path = "../demo-1.0.tar.gz"'), "../demo-1.0.tar.gz"],
    [archive('path = "./demo-1.0.tar.gz"'), "./demo-1.0.tar.gz"],
    [archive('path = ".hidden/demo-1.0.tar.gz"'), "./.hidden/demo-1.0.tar.gz"],
    [archive('path = "/there/demo-1.0.tar.gz"'), "demo @ file:///there/demo-1.0.tar.gz"],
    [
      archive('path = "m.tar.gz", subdirectory = "packages/demo"'),
      "demo @ file:///the%20project/m.tar.gz#subdirectory=packages/demo",
    ],
    [archive('path = "a#b c;d/x.zip"'), "demo @ file:///the%20project/a%23b%20c;d/x.zip"],
    ['directory = { path = "packages/demo" }', "./packages/demo"],
    ['directory = { path = ".", editable = true }', "-e ."],
    ['directory = { path = "../demo", editable = true }', "-e ../demo"],
    ['directory = { path = "/there/demo" }', "demo @ file:///there/demo"],
    ['directory = { path = "/there/demo", editable = true }', "-e file:///there/demo"],
    ['directory = { path = "mono", subdirectory = "in" }', "./mono/in"],
    [
      'vcs = { type = "git", url = "https://h/r.git", commit-id = "abc", subdirectory = "in" }',
      "demo @ git+https://h/r.git@abc#subdirectory=in",
    ],
    [
      'vcs = { type = "git", path = "repo", commit-id = "abc" }',
      "demo @ git+file:///the%20project/repo@abc",
    ],
  ])("%s", async (source, line) => {
    expect(await lineOf(source)).toBe(line);
  });
});
