import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runBlit } from "../../support/binary.ts";
import { type RunningBlitd, startBlitd } from "../../support/blitd.ts";
import { needsRoot, testUnless } from "../../support/skip.ts";

const token = "blit_0123456789abcdef";

let folder: string;
let daemon: RunningBlitd;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "blitd-modules-"));
  chmodSync(folder, 0o755);
  for (const name of ["open", "fixed", "rooted", "ours", "far", "source"]) {
    mkdirSync(join(folder, name));
  }
  chmodSync(join(folder, "rooted"), 0o777);
  writeFileSync(join(folder, "secret"), "secret\n");
  writeFileSync(join(folder, "source", "file"), "source\n");
  for (const name of ["open", "fixed", "rooted", "ours"]) {
    const module = join(folder, name);
    writeFileSync(join(module, "file"), `${name}\n`);
    mkdirSync(join(module, "sub"));
    writeFileSync(join(module, "sub", "file"), "sub\n");
    symlinkSync("sub", join(module, "inside"));
    symlinkSync("/sub", join(module, "absolute"));
    symlinkSync("..", join(module, "above"));
  }
  const tokens = join(folder, "tokens");
  writeFileSync(tokens, `anna:${createHash("sha256").update(token).digest("hex")}\n`);
  writeFileSync(join(folder, "token"), token, { mode: 0o600 });
  writeFileSync(join(folder, "wrong"), `${token}x`, { mode: 0o600 });
  daemon = await startBlitd({
    daemon: [`token_file = ${JSON.stringify(tokens)}`],
    modules: [
      { name: "open", path: join(folder, "open") },
      { name: "fixed", path: join(folder, "fixed"), read_only: true },
      { name: "rooted", path: join(folder, "rooted"), use_chroot: true, run_as: "nobody" },
      { name: "ours", path: join(folder, "ours"), users: ["anna"] },
      { name: "theirs", path: join(folder, "ours"), users: ["bert"] },
      { name: "far", path: join(folder, "far"), hosts_allow: ["192.0.2.0/24"] },
    ],
  });
}, 60_000);
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

let runs = 0;

function fresh(): string {
  return join(folder, `got-${runs++}`);
}

async function blit(command: string, ...args: string[]) {
  return runBlit([command, "--token-file", join(folder, "token"), ...args]);
}

describe("who is let in", () => {
  test("nobody without the right token", async () => {
    const source = daemon.place("open", "file");
    const none = await runBlit(["copy", source, fresh()]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("asks for a token")]);
    const wrong = await runBlit(["copy", "--token-file", join(folder, "wrong"), source, fresh()]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("token")]);
  });

  test("only the users of a module", async () => {
    const target = fresh();
    expect((await blit("copy", daemon.place("ours", "file"), target)).code).toBe(0);
    expect(readFileSync(target, "utf8")).toBe("ours\n");
    const theirs = await blit("copy", daemon.place("theirs", "file"), fresh());
    expect([theirs.code, theirs.stderr]).toEqual([1, expect.stringContaining("not open to you")]);
  });

  test("only the hosts of a module, and others do not learn that there is one", async () => {
    const far = await blit("copy", daemon.place("far", "file"), fresh());
    const none = await blit("copy", daemon.place("none", "file"), fresh());
    expect([far.code, far.stderr]).toEqual([1, none.stderr.replace('"none"', '"far"')]);
  });
});

describe("a read-only module", () => {
  test("is read", async () => {
    const target = fresh();
    expect((await blit("copy", daemon.place("fixed"), target)).code).toBe(0);
    expect(readFileSync(join(target, "file"), "utf8")).toBe("fixed\n");
  });

  test.each([
    ["copy", (to: string) => [join(folder, "source", "file"), to]],
    ["mirror", (to: string) => ["--yes", `${join(folder, "source")}/`, to]],
    ["move", (to: string) => [to, fresh()]],
    ["copy", (to: string) => [daemon.place("open", "file"), to]],
  ] as const)("is not changed by %s", async (command, args) => {
    const module = join(folder, "fixed");
    const before = statSync(module, { bigint: true }).ctimeNs;
    const place =
      command === "move" ? daemon.place("fixed", "file") : daemon.place("fixed", "new/");
    const run = await blit(command, ...args(place));
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("read-only")]);
    expect(statSync(module, { bigint: true }).ctimeNs).toBe(before);
    expect(existsSync(join(module, "new"))).toBe(false);
  });
});

describe("links", () => {
  test.each([
    ["open", "inside/file", "sub\n"],
    ["open", "absolute/file", undefined],
    ["open", "above/secret", undefined],
    ["open", "../secret", undefined],
    ["rooted", "inside/file", "sub\n"],
    // What is above the root of a chroot is the root itself.
    ["rooted", "absolute/file", "sub\n"],
    ["rooted", "above/file", "rooted\n"],
    ["rooted", "above/secret", undefined],
    ["rooted", "../secret", undefined],
  ] as const)("%s/%s", async (module, path, content) => {
    const target = fresh();
    const { code } = await blit("copy", daemon.place(module, path), target);
    expect(existsSync(target) ? readFileSync(target, "utf8") : undefined).toBe(content);
    expect(code).toBe(content === undefined ? 1 : 0);
  });

  test.each(["open", "rooted"])("nothing is written through one out of %s", async (module) => {
    const run = await blit("copy", join(folder, "source", "file"), daemon.place(module, "above/"));
    expect(existsSync(join(folder, "file"))).toBe(false);
    // Above the root of a chroot is its root: there it may be.
    expect(run.code).toBe(module === "rooted" ? 0 : 1);
  });
});

testUnless(needsRoot())("threads of a module work as its user", async () => {
  const target = daemon.place("rooted", "made/");
  const run = await blit("copy", `${join(folder, "source")}/`, target);
  expect([run.code, run.stderr]).toEqual([0, expect.stringContaining("Copied 1 file")]);
  const { uid, gid } = statSync(join(folder, "rooted", "made", "file"));
  expect(uid).toBeGreaterThan(0);
  expect(gid).toBeGreaterThan(0);
  writeFileSync(join(folder, "rooted", "private"), "private\n", { mode: 0o600 });
  const got = fresh();
  const taken = await blit("copy", daemon.place("rooted", "private"), got);
  expect([taken.code, existsSync(got)]).toEqual([4, false]);
});
