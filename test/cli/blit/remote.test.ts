import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunResult, runBlit } from "../../support/binary.ts";
import { startBlitd } from "../../support/blitd.ts";
import { hasTemporary, startBlit, untilLetGo } from "../../support/running-blit.ts";
import { describeUnless } from "../../support/skip.ts";
import { differences, makeTree, type TreeOperation, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** What a user sees of transfers with a daemon. All that they carry is in ../blit-net. */

// Several processes each, on machines that may be busy.
setDefaultTimeout(60_000);

const TREE: readonly TreeOperation[] = [
  { op: "file", path: "one", text: "1", mtimeNs: "1500000000123456789" },
  { op: "file", path: "d/two", text: "22" },
  { op: "link", path: "link", to: "one" },
  { op: "file", path: "big", size: 3_000_000, seed: 1 },
];

async function world(work: Workspace, extra: { readonly read_only?: boolean } = {}) {
  const module = work.folder("module");
  const source = work.folder("source");
  makeTree(source, TREE);
  const daemon = await startBlitd({ modules: [{ name: "m", path: module, ...extra }] });
  const home = work.folder("home");
  const blit = (...args: string[]): Promise<RunResult> => runBlit(args, { env: { HOME: home } });
  return { module, source, daemon, blit, home };
}

function onlyError({ code, stdout, stderr }: RunResult): [number, string] {
  expect(stdout).toBe("");
  return [code, stderr.split("\n")[0] ?? ""];
}

describeUnless(treeToolsMissing())("with one daemon", () => {
  test("there and back again, and from place to place", async () => {
    using work = createWorkspace();
    await using daemon = (await world(work)).daemon;
    const source = work.at("source");
    const pushed = await runBlit(["copy", `${source}/`, daemon.place("m", "a/")]);
    expect(pushed).toMatchObject({ code: 0, stdout: "" });
    expect(pushed.stderr).toMatch(/^Copied 3 files, 2\.9 MiB.* in /);
    expect(differences(source, work.at("module/a"))).toBe("");
    const pulled = await runBlit(["copy", daemon.place("m", "a"), work.at("back")]);
    expect(pulled.code).toBe(0);
    expect(differences(source, work.at("back"))).toBe("");
    const within = await runBlit(["copy", daemon.place("m", "a/"), daemon.place("m", "b/")]);
    expect(within).toMatchObject({ code: 0, stdout: "" });
    expect(within.stderr).toMatch(/^Copied 3 files/);
    expect(differences(source, work.at("module/b"))).toBe("");
    const again = await runBlit(["copy", `${source}/`, daemon.place("m", "a/")]);
    expect(again.stderr).toMatch(/^Copied 0 files, 0 B, 4 up to date in /);
  });

  test("a move leaves nothing behind, both ways", async () => {
    using work = createWorkspace();
    const { daemon, blit, source, module } = await world(work);
    await using _ = daemon;
    Bun.spawnSync(["cp", "-a", source, work.at("copy")]);
    const there = await blit("move", source, daemon.place("m", "moved"));
    expect(there).toMatchObject({ code: 0 });
    expect(there.stderr).toStartWith("Moved 4 entries, 2.9 MiB");
    expect(existsSync(source)).toBe(false);
    expect(differences(work.at("copy"), join(module, "moved"))).toBe("");
    const back = await blit("move", daemon.place("m", "moved/"), `${source}/`);
    expect(back.code).toBe(0);
    expect(differences(work.at("copy"), source)).toBe("");
    expect(readdirSync(module)).toEqual([]);
  });

  test("what the daemon has here is not put onto itself, into itself or over its own", async () => {
    using work = createWorkspace();
    const { daemon, blit, module } = await world(work);
    await using _ = daemon;
    const folder = join(module, "a");
    mkdirSync(folder);
    makeTree(folder, [...TREE, { op: "hard", path: "again", to: "one" }]);
    Bun.spawnSync(["cp", "-a", module, work.at("copy")]);
    const place = (path: string): string => daemon.place("m", path);
    for (const [verb, from, to, reason] of [
      ["move", `${folder}/`, place("a/"), "onto itself"],
      ["move", folder, place(""), "onto itself"],
      ["move", place("a"), `${module}/`, "onto itself"],
      ["move", join(folder, "one"), place("a/"), "onto itself"],
      ["copy", `${module}/`, place("a/b"), "into itself"],
      ["copy", place("a"), join(folder, "x/y/z/"), "into itself"],
      ["mirror", `${folder}/`, place(""), "the source lies in it"],
      ["mirror", place("a/"), `${module}/`, "the source lies in it"],
    ] as const) {
      const run = await blit(verb, "--yes", from, to);
      expect([run.code, run.stderr]).toEqual([1, expect.stringContaining(reason)]);
      expect(differences(work.at("copy"), module, "-H")).toBe("");
    }
  });

  test("--json says how it went and over what", async () => {
    using work = createWorkspace();
    const { daemon, blit, source } = await world(work);
    await using _ = daemon;
    const run = await blit("copy", "--json", source, daemon.place("m", "x/"));
    const said = JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "");
    expect(said).toMatchObject({
      schema: "blit.transfer/1",
      source: [source],
      target: daemon.place("m", "x/"),
      roots: [{ source, target: daemon.place("m", "x/source") }],
      files: 3,
      symlinks: 1,
      network: { transport: "tcp", isEncrypted: false },
      exitCode: 0,
    });
    expect(run.stderr).toBe("");
  });

  test.each([
    ["--force-grpc-data", {}],
    ["BLIT_FORCE_GRPC_DATA", { BLIT_FORCE_GRPC_DATA: "1" }],
  ])("%s: through the control connection, without a warning", async (flag, env) => {
    using work = createWorkspace();
    const { daemon, source, module } = await world(work);
    await using _ = daemon;
    const flags = flag.startsWith("--") ? [flag, "--json"] : ["--json"];
    for (const [from, to] of [
      [`${source}/`, daemon.place("m", "x/")],
      [daemon.place("m", "x/"), `${work.at("y")}/`],
    ] as const) {
      const run = await runBlit(["copy", ...flags, from, to], { env });
      expect(run).toMatchObject({ code: 0, stderr: "" });
      expect(run.stdout).toContain('"transport":"grpc"');
    }
    expect(differences(source, join(module, "x"))).toBe("");
    expect(differences(source, work.at("y"))).toBe("");
  });
});

describe("consent", () => {
  test("a dry run lists, nobody agreed, too many, and yes", async () => {
    using work = createWorkspace();
    const { daemon, blit, source, module } = await world(work);
    await using _ = daemon;
    const place = daemon.place("m", "x/");
    mkdirSync(join(module, "x"));
    for (const name of ["p", "q"]) writeFileSync(join(module, "x", name), name);
    const plan = await blit("mirror", "-n", `${source}/`, place);
    expect(plan.code).toBe(0);
    expect(plan.stdout).toContain(`delete     ${place}p\ndelete     ${place}q\n`);
    expect(plan.stdout).toContain(`copy       ${source}/one\n`);
    expect(plan.stderr).toContain(`Source: ${source}/\nTarget: ${place}\n`);
    expect(plan.stderr).toContain("2 to delete");
    const mirror = (...flags: string[]) => blit("mirror", ...flags, `${source}/`, place);
    expect(onlyError(await mirror())).toEqual([
      1,
      "error: Cannot delete 2 entries of the target: nobody agreed to it",
    ]);
    expect(onlyError(await mirror("--yes", "--max-delete", "1"))).toEqual([
      1,
      "error: Refusing to delete 2 entries: --max-delete allows 1",
    ]);
    expect(readdirSync(join(module, "x")).sort()).toEqual(["p", "q"]);
    const done = await mirror("--yes");
    expect(done.stderr).toMatch(/^Mirrored 3 files, .* 2 deleted in /);
    expect(readdirSync(join(module, "x")).sort()).toEqual(["big", "d", "link", "one"]);
  });

  test("an empty source wipes nothing, from either side", async () => {
    using work = createWorkspace();
    const { daemon, blit, source, module } = await world(work);
    await using _ = daemon;
    mkdirSync(join(module, "empty"));
    const empty = work.folder("empty");
    writeFileSync(join(module, "precious"), "p");
    const push = await blit("mirror", "--yes", `${empty}/`, daemon.place("m"));
    expect(push.code).toBe(1);
    expect(push.stderr).toStartWith("error: Refusing to mirror an empty source onto");
    const pull = await blit("mirror", "--yes", daemon.place("m", "empty/"), `${source}/`);
    expect(pull.code).toBe(1);
    expect(existsSync(join(module, "precious"))).toBe(true);
    expect(readdirSync(source)).toHaveLength(4);
    const meant = ["mirror", "--yes", "--allow-empty-source"] as const;
    const wiped = await blit(...meant, daemon.place("m", "empty/"), `${source}/`);
    expect(wiped.code).toBe(0);
    expect(readdirSync(source)).toEqual([]);
  });
});

describe("what cannot be", () => {
  test("no such module, no such source, read-only, no daemon, a module without slash", async () => {
    using work = createWorkspace();
    const { daemon, blit, source, module } = await world(work, { read_only: true });
    await using _ = daemon;
    const missing = await blit("copy", source, daemon.place("nope", "x/"));
    expect([missing.code, missing.stdout]).toEqual([1, ""]);
    expect(missing.stderr).toContain("nope");
    const nothing = await blit("copy", daemon.place("m", "nothing"), work.at("x"));
    expect(nothing.code).toBe(1);
    expect(nothing.stderr).toContain('"nothing"');
    expect(existsSync(work.at("x"))).toBe(false);
    const readOnly = await blit("copy", source, daemon.place("m", "x/"));
    expect(readOnly.code).toBe(1);
    expect(readOnly.stderr).toContain("read-only");
    expect(readdirSync(module)).toEqual([]);
    const { address, port } = daemon;
    expect(onlyError(await blit("copy", source, `${address}:${port}:/m`))).toEqual([
      2,
      `error: Cannot use "${address}:${port}:/m": it could be a module or a path`,
    ]);
    await daemon.stop();
    const gone = await blit("copy", source, `${address}:${port}:/m/x`);
    expect(onlyError(gone)).toEqual([
      1,
      `error: Cannot reach "${address}:${port}": nothing listens there`,
    ]);
  });

  test("a limit for a transfer that stays here", async () => {
    const run = await runBlit(["copy", "--bwlimit", "1M", "a", "b"]);
    expect(onlyError(run)).toEqual([
      2,
      "error: Cannot use --bwlimit here: neither side is on a server",
    ]);
  });
});

describe("an interruption", () => {
  test.each(["push", "pull"])("%s: tells what was done, and the next run goes on", async (way) => {
    using work = createWorkspace();
    const { daemon, blit, module } = await world(work);
    await using _ = daemon;
    const [here, there] = [work.folder("here"), join(module, "there")];
    mkdirSync(there);
    const from = way === "push" ? here : there;
    for (let n = 0; n < 40; n++) work.write(join(from.slice(work.path.length + 1), `f${n}`), "x");
    writeFileSync(join(from, "large"), Buffer.alloc(40_000_000, 7));
    const to = way === "push" ? join(module, "got") : work.at("got");
    const args =
      way === "push"
        ? [`${here}/`, daemon.place("m", "got/")]
        : [daemon.place("m", "there/"), `${work.at("got")}/`];
    const run = await startBlit(["copy", "--bwlimit", "2M", ...args], { HOME: work.at("home") });
    await run.until(() => existsSync(to) && hasTemporary(to));
    run.process.kill("SIGINT");
    const { code, stderr } = await run.ended();
    expect(code).toBe(130);
    expect(stderr).toContain("Interrupted");
    if (way === "push") await untilLetGo(daemon.process.pid, to);
    expect(existsSync(join(to, "large"))).toBe(false);
    const again = await blit("copy", ...args);
    expect(again.code).toBe(0);
    expect(readFileSync(join(to, "large")).equals(Buffer.alloc(40_000_000, 7))).toBe(true);
    expect(readdirSync(to)).toHaveLength(41);
  });
});
