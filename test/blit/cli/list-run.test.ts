import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { listCommand } from "../../../src/blit/cli/list.ts";
import type { CommandSpec } from "../../../src/kit/cli/command.ts";
import { capture } from "../../support/capture.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";

let folder = "";
const BAD_NAME = Buffer.from("bad\u00ff\u0001", "latin1");

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "list-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const list = (...argv: string[]) => capture(listCommand as CommandSpec, argv);
const time = new Date(2026, 0, 2, 3, 4);

function fill(): void {
  writeFileSync(join(folder, "b.txt"), Buffer.alloc(1536));
  mkdirSync(join(folder, "a folder"));
  symlinkSync("nowhere\u001b[2J", join(folder, "link"));
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), BAD_NAME]), "");
  for (const name of ["b.txt", "a folder"]) {
    utimesSync(join(folder, name), time, time);
  }
}

test("a folder is shown as a table, sorted by bytes, harmless for the terminal", async () => {
  fill();
  const { code, out, err } = await list(folder);
  expect([code, err]).toEqual([0, ""]);
  expect(out.replace(/20\d\d-\d\d-\d\d \d\d:\d\d(?= {2}(bad|link))/g, "DATE TIME")).toBe(
    [
      "folder         -  2026-01-02 03:04  a folder/",
      "file     1.5 KiB  2026-01-02 03:04  b.txt",
      "file         0 B  DATE TIME  bad\\xff\\x01",
      "symlink        -  DATE TIME  link -> nowhere\\e[2J",
      "",
    ].join("\n"),
  );
});

test("--json gives one object per entry; what is no UTF-8 has its bytes beside it", async () => {
  fill();
  const { out } = await list("--json", folder);
  const entries = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(entries.map((entry) => entry.type)).toEqual(["folder", "file", "file", "symlink"]);
  expect(entries[1]).toEqual({
    schema: "blit.list/1",
    path: join(folder, "b.txt"),
    type: "file",
    size: 1536,
    mtime: time.toISOString(),
    mtimeNs: `${time.getTime()}000000`,
    mode: expect.stringMatching(/^0[0-7]{3}$/),
  });
  const bytes = Buffer.from(entries[2].pathBytes, "base64");
  expect(bytes.equals(Buffer.concat([Buffer.from(`${folder}/`), BAD_NAME]))).toBe(true);
  expect(entries[2].path).toBe(`${folder}/bad\ufffd\u0001`);
  expect(entries[3]).toMatchObject({ target: "nowhere\u001b[2J" });
  expect(entries[3]).not.toHaveProperty("targetBytes");
});

test("several paths get headings; what fails is named and the rest is listed", async () => {
  fill();
  const missing = join(folder, "missing");
  const { code, out, err } = await list(join(folder, "a folder"), missing, join(folder, "b.txt"));
  expect(code).toBe(4);
  expect(err).toBe(`error: Cannot read "${missing}": no such file or directory\n`);
  expect(out).toStartWith(`${folder}/a folder:\n`);
  expect(out).toEndWith(`  ${folder}/b.txt\n`);
});

test("nothing listed is exit 1", async () => {
  expect((await list(join(folder, "missing"))).code).toBe(1);
});

test("a link to a folder is shown as itself, and with a slash its contents", async () => {
  mkdirSync(join(folder, "real"));
  writeFileSync(join(folder, "real/file"), "");
  symlinkSync("real", join(folder, "link"));
  expect((await list(join(folder, "link"))).out).toEndWith("/link -> real\n");
  expect((await list(`${join(folder, "link")}/`)).out).toEndWith("  file\n");
});

test("no path means the working folder", async () => {
  const { out } = await list("--json");
  expect(
    out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).path),
  ).toContain("./package.json");
});

testUnless(firstReason(needsRoot(), needsProgram("mkfifo", "mknod")))(
  "pipes, sockets and devices have types of their own",
  async () => {
    await Bun.$`mkfifo fifo; mknod null c 1 3; mknod loop b 7 0`.cwd(folder).quiet();
    const server = Bun.listen({ unix: join(folder, "socket"), socket: { data() {} } });
    const { out } = await list("--json", folder);
    server.stop();
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).type),
    ).toEqual(["fifo", "block-device", "character-device", "socket"]);
  },
);
