import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type RunResult, runBlit } from "../../support/binary.ts";
import { startBlitd } from "../../support/blitd.ts";
import { describeUnless } from "../../support/skip.ts";
import { differences, makeTree, type TreeOperation, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** Transfers between two daemons, and how a client makes sure of one. */

// Several processes each, on machines that may be busy.
setDefaultTimeout(60_000);

const TREE: readonly TreeOperation[] = [
  { op: "file", path: "one", text: "1", mtimeNs: "1500000000123456789" },
  { op: "file", path: "d/two", text: "22" },
  { op: "file", path: "big", size: 3_000_000, seed: 1 },
];

function blitIn(work: Workspace): (...args: string[]) => Promise<RunResult> {
  const home = work.folder("home");
  return (...args) => runBlit(args, { env: { HOME: home } });
}

function transportOf({ stdout }: RunResult): unknown {
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "{}").network;
}

describeUnless(treeToolsMissing())("between two daemons", () => {
  test("the data goes straight, also a mirror and a move", async () => {
    using work = createWorkspace();
    const [from, to] = [work.folder("from/a"), work.folder("to")];
    makeTree(from, TREE);
    Bun.spawnSync(["cp", "-a", from, work.at("copy")]);
    await using one = await startBlitd({ modules: [{ name: "m", path: work.at("from") }] });
    await using two = await startBlitd({ modules: [{ name: "n", path: to }] });
    const blit = blitIn(work);
    const copied = await blit("copy", "--json", one.place("m", "a"), two.place("n", "b"));
    expect(copied).toMatchObject({ code: 0, stderr: "" });
    expect(transportOf(copied)).toMatchObject({ transport: "direct", isEncrypted: false });
    expect(differences(from, work.at("to/b"))).toBe("");
    writeFileSync(work.at("to/b/extra"), "x");
    const asked = await blit("mirror", one.place("m", "a/"), two.place("n", "b/"));
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain("Cannot delete 1 entry of the target: nobody agreed to it");
    const mirrored = await blit("mirror", "--yes", one.place("m", "a/"), two.place("n", "b/"));
    expect(mirrored.stderr).toMatch(/^Mirrored 0 files, 0 B, 3 up to date, 1 deleted in /);
    const moved = await blit("move", one.place("m", "a"), two.place("n", "moved/"));
    expect(moved.code).toBe(0);
    expect(existsSync(from)).toBe(false);
    expect(differences(work.at("copy"), work.at("to/moved/a"))).toBe("");
  });

  test("what they will not do between them goes through here, with one warning", async () => {
    using work = createWorkspace();
    const [from, to] = [work.folder("from"), work.folder("to")];
    makeTree(from, TREE);
    Bun.spawnSync(["cp", "-a", from, work.at("copy")]);
    await using one = await startBlitd({ modules: [{ name: "m", path: from }] });
    const daemon = ["delegation = { enabled = false }"];
    await using two = await startBlitd({ modules: [{ name: "n", path: to }], daemon });
    const blit = blitIn(work);
    const copied = await blit("copy", "--json", one.place("m"), two.place("n", "b/"));
    expect(copied.code).toBe(0);
    expect(copied.stderr.match(/warning:/g)).toHaveLength(1);
    expect(copied.stderr).toContain("everything goes through this machine");
    expect(transportOf(copied)).toMatchObject({ transport: "relay" });
    expect(differences(from, work.at("to/b"))).toBe("");
    const moved = await blit("move", one.place("m", "d"), two.place("n", "moved/"));
    expect(moved.code).toBe(0);
    expect(existsSync(work.at("from/d"))).toBe(false);
    expect(differences(work.at("copy/d"), work.at("to/moved/d"))).toBe("");
  });

  test("what is missing is said by whoever misses it, and nothing is relayed for it", async () => {
    using work = createWorkspace();
    await using one = await startBlitd({ modules: [{ name: "m", path: work.folder("from") }] });
    await using two = await startBlitd({ modules: [{ name: "n", path: work.folder("to") }] });
    const blit = blitIn(work);
    const run = await blit("copy", one.place("m", "nothing"), two.place("n", "b/"));
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('"nothing"');
    expect(run.stderr).not.toContain("warning");
    const module = await blit("copy", one.place("q", "x"), two.place("n", "b/"));
    expect(module.code).toBe(1);
    expect(module.stderr).toContain("q");
  });
});

describe("over TLS", () => {
  test("a daemon is met once, known ever after, and refused when it changes", async () => {
    using work = createWorkspace();
    const source = work.write("source/file", "content");
    const blit = blitIn(work);
    const modules = [{ name: "m", path: work.folder("module") }];
    await using daemon = await startBlitd({ modules, tls: [] });
    const to = daemon.place("m", "x/");
    const plain = await blit("copy", source, to);
    expect(plain.code).toBe(1);
    const unknown = await blit("copy", "--tls", source, to);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain("is not known: its certificate has the SHA-256");
    const first = await blit("copy", "--json", "--tls", "--accept-new", source, to);
    expect(first.code).toBe(0);
    expect(transportOf(first)).toMatchObject({ transport: "tcp", isEncrypted: true });
    expect(readFileSync(work.at("module/x/file"), "utf8")).toBe("content");
    const known = work.at("home/.config/blit/known_hosts");
    expect(statSync(known).mode & 0o777).toBe(0o600);
    const second = await blit("copy", "--json", source, to);
    expect(transportOf(second)).toMatchObject({ isEncrypted: true });
    const text = readFileSync(known, "utf8");
    const digit = text.at(-10) === "0" ? "1" : "0";
    writeFileSync(known, text.slice(0, -10) + digit + text.slice(-9));
    const changed = await blit("copy", source, to);
    expect(changed.code).toBe(1);
    expect(changed.stderr).toContain("shows another certificate than before: nothing was sent");
  });

  test("between two daemons it is pinned to what was seen from here", async () => {
    using work = createWorkspace();
    makeTree(work.folder("from"), TREE);
    await using one = await startBlitd({
      modules: [{ name: "m", path: work.at("from") }],
      tls: [],
    });
    await using two = await startBlitd({
      modules: [{ name: "n", path: work.folder("to") }],
      tls: [],
    });
    const blit = blitIn(work);
    const run = await blit("copy", "--json", "--accept-new", one.place("m"), two.place("n"));
    expect(run.code).toBe(0);
    expect(transportOf(run)).toMatchObject({ transport: "direct", isEncrypted: true });
    expect(differences(work.at("from"), work.at("to"))).toBe("");
  });
});
