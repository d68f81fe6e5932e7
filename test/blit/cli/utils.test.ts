import { expect, test } from "bun:test";
import { existsSync, symlinkSync } from "node:fs";
import { blitCommand, loadUtils } from "../../../src/blit/door.ts";
import type { CommandSpec } from "../../../src/kit/cli/command.ts";
import { serveAdmin, testModule } from "../../support/admin-daemon.ts";
import { capture } from "../../support/capture.ts";
import { createWorkspace } from "../../support/workspace.ts";

const blit = (...argv: string[]) => capture(blitCommand as CommandSpec, argv, { name: "blit" });
const utils = (...argv: string[]) => blit("utils", ...argv);

function jsonLines(text: string) {
  return text
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** A folder here and as a module, filled alike. */
async function twice(work: ReturnType<typeof createWorkspace>) {
  work.write("data/a/one.jpg", "12345", { mtimeSeconds: 1_700_000_000 });
  work.write("data/a/two.txt", "1", { mtimeSeconds: 1_600_000_000 });
  work.folder("data/empty");
  symlinkSync("a", work.at("data/link"));
  const daemon = await serveAdmin([
    testModule({ name: "m", path: work.at("data"), comment: "Ours" }),
    testModule({ name: "fixed", path: work.at("data"), readOnly: true }),
  ]);
  const places: readonly [string, (path: string) => string][] = [
    ["here", (path) => `${work.at("data")}/${path}`],
    ["there", (path) => daemon.place("m", path)],
  ];
  return { daemon, places, [Symbol.asyncDispose]: () => daemon.server.close() };
}

test("ls, find, du and df say the same of paths here and of places on servers", async () => {
  using work = createWorkspace();
  await using both = await twice(work);
  const outs: Record<string, string[]> = {};
  for (const [where, place] of both.places) {
    const root = place("");
    const short = (out: string): string => out.replaceAll(root.replace(/\/$/, ""), "ROOT");
    const lines: string[] = [];
    for (const argv of [
      ["ls", root],
      ["ls", "-l", place("a")],
      ["ls", "--json", root],
      ["find", "--name", "*.jpg", root],
      ["find", "--long", "--type", "folder", root],
      ["find", "--json", "--min-size", "2", "--type", "file", root],
      ["find", "--newer-than", "2023-01-01", "--type", "file", root],
      ["du", "-d", "1", "--sort", "name", root],
      ["du", "--json", place("a")],
    ]) {
      const { code, out, err } = await utils(...argv);
      expect([argv.join(" "), code, err]).toEqual([argv.join(" "), 0, ""]);
      lines.push(short(out));
    }
    outs[where] = lines;
  }
  expect(outs["there"]).toEqual(outs["here"]!);
  expect(outs["here"]![0]).toBe("a/\nempty/\nlink\n");
  expect(outs["here"]![3]).toBe("ROOT/a/one.jpg\n");
  expect(outs["here"]![6]).toBe("ROOT/a/one.jpg\n");
});

test("df shows the file system of places here and on servers", async () => {
  using work = createWorkspace();
  await using both = await twice(work);
  const { code, out } = await utils("df", "--json", ...both.places.map(([, place]) => place("")));
  expect(code).toBe(0);
  const [here, there] = jsonLines(out);
  expect(here).toMatchObject({
    schema: "blit.df/1",
    path: `${work.at("data")}/`,
    isReadOnly: false,
  });
  expect(there).toMatchObject({ fileSystem: here.fileSystem, totalBytes: here.totalBytes });
  const table = await utils("df", "-i", work.path);
  expect(table.out).toMatch(/^Type +Size +Used +Free +Use +Place\n\S+ +[\d,]+ .*\n$/);
});

test("blit list shows a server's modules, and what is in them", async () => {
  using work = createWorkspace();
  await using both = await twice(work);
  const { name, place } = both.daemon;
  const modules = await blit("list", name);
  const rows = modules.out.trimEnd().split("\n");
  expect(rows.map((row) => row.split(/ {2,}/))).toEqual([
    ["Place", "Access", "Comment"],
    [`${name}:/m/`, "read and write", "Ours"],
    [`${name}:/fixed/`, "read-only"],
  ]);
  expect(modules.err).toBe("Be kind\n");
  expect(jsonLines((await blit("list", "--json", name)).out)).toEqual([
    { schema: "blit.modules/1", name: "m", place: `${name}:/m/`, readOnly: false, comment: "Ours" },
    {
      schema: "blit.modules/1",
      name: "fixed",
      place: `${name}:/fixed/`,
      readOnly: true,
      comment: "",
    },
  ]);
  const listed = await blit("list", "--json", place("m", "a/one.jpg"), place("m"));
  expect(jsonLines(listed.out).map(({ path, type, size }) => [path, type, size])).toEqual([
    [place("m", "a/one.jpg"), "file", 5],
    [place("m", "a"), "folder", expect.any(Number)],
    [place("m", "empty"), "folder", expect.any(Number)],
    [place("m", "link"), "symlink", 1],
  ]);
});

test("what fails is named, and decides the exit code", async () => {
  using work = createWorkspace();
  await using both = await twice(work);
  const { place, name } = both.daemon;
  for (const argv of [
    ["list", place("m", "gone")],
    ["list", place("gone")],
    ["list", place("m", "../data")],
    ["utils", "du", place("m", "gone")],
    ["utils", "df", work.at("gone")],
    ["utils", "find", place("m", "a/one.jpg")],
  ]) {
    const { code, out, err } = await blit(...argv);
    expect([argv.join(" "), code, out]).toEqual([argv.join(" "), 1, ""]);
    expect(err).toMatch(/^error: Cannot /);
  }
  const some = await utils("du", "--json", place("m", "gone"), place("m", "a"));
  expect([some.code, jsonLines(some.out).length]).toEqual([4, 1]);
  expect((await utils("du", name)).err).toContain("it names a server, but no place on it");
  expect((await blit("list", "127.0.0.1:/m")).err).toContain('127.0.0.1:/m/"');
});

test("rm counts, wants a yes, and removes here and there", async () => {
  using work = createWorkspace();
  await using both = await twice(work);
  const { place } = both.daemon;
  work.write("own/file", "123");
  const places = [place("m", "a"), work.at("own")];
  const folders = await utils("rm", "--yes", ...places);
  expect([folders.code, folders.err]).toEqual([1, expect.stringContaining("--recursive removes")]);
  const dry = await utils("rm", "-r", "-n", "--json", ...places);
  expect(jsonLines(dry.out)).toEqual([
    { schema: "blit.rm/1", dryRun: true, entries: 5, bytes: 9, failed: 0 },
  ]);
  const unasked = await utils("rm", "-r", ...places);
  expect(unasked.code).toBe(1);
  expect(unasked.err).toContain("Cannot remove 5 entries (9 B)");
  expect(existsSync(work.at("own/file")) && existsSync(work.at("data/a/one.jpg"))).toBe(true);
  const done = await utils("rm", "-r", "--yes", ...places);
  expect([done.code, done.err]).toEqual([0, "Removed 5 entries, 9 B\n"]);
  expect(existsSync(work.at("own")) || existsSync(work.at("data/a"))).toBe(false);
});

test("rm leaves a read-only module alone", async () => {
  using work = createWorkspace();
  await using both = await twice(work);
  const { code, err } = await utils("rm", "-r", "-y", both.daemon.place("fixed", "a"));
  expect([code, err]).toEqual([1, expect.stringContaining("read-only")]);
  expect(existsSync(work.at("data/a/one.jpg"))).toBe(true);
});

test("find stops at a limit over all its folders, and refuses what it cannot read", async () => {
  using work = createWorkspace();
  await using both = await twice(work);
  const { place } = both.daemon;
  const limited = await utils("find", "--limit", "3", place("m"), work.at("data"));
  expect([limited.code, limited.out.trimEnd().split("\n").length]).toEqual([0, 3]);
  for (const [flag, value] of [
    ["--min-size", "many"],
    ["--newer-than", "tomorrow"],
    ["--name", "a/b"],
  ] as const) {
    expect((await utils("find", flag, value, work.path)).code).not.toBe(0);
  }
});

test("completions tell of the three names; blit-utils is utils by another name", async () => {
  const { code, out } = await utils("completions", "bash");
  expect(code).toBe(0);
  for (const word of ["'blit utils rm'", "'blit-utils rm'", "blitd"]) expect(out).toContain(word);
  const help = await capture(loadUtils, ["--help"], { name: "blit-utils" });
  expect(help.out).toContain("blit-utils rm -r nas:/files/old");
});

test("profile measures where it is told to, and leaves nothing", async () => {
  using work = createWorkspace();
  const argv = ["profile", "--json", "--files", "3", "--size-mib", "1", work.path];
  const { code, out } = await utils(...argv);
  expect(code).toBe(0);
  const [profile] = jsonLines(out);
  expect(
    profile.steps.map(({ name, files }: { name: string; files: number }) => [name, files]),
  ).toEqual([
    ["make a large file", 1],
    ["copy the large file", 1],
    ["make small files", 3],
    ["copy small files", 3],
    ["find small files equal", 3],
    ["remove everything", 8],
  ]);
  expect(Bun.spawnSync(["ls", "-A", work.path]).stdout.toString()).toBe("");
  const gone = await utils("profile", work.at("gone"));
  expect([gone.code, gone.err]).toEqual([1, expect.stringContaining("no such file")]);
});
