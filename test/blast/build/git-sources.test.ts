import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { GitSources } from "../../../src/blast/build/git-sources.ts";
import { createRepository } from "../../support/git-repository.ts";
import { describeUnless, needsProgram } from "../../support/skip.ts";
import { startWebServer } from "../../support/web-server.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

function sources(work: Workspace, options: { offline?: boolean; user?: object } = {}): GitSources {
  const { offline = false, user = {} } = options;
  const variables = {
    PATH: process.env["PATH"],
    HOME: work.path,
    GIT_CONFIG_NOSYSTEM: "1",
    ...user,
  };
  return new GitSources({ folder: work.at("git"), variables, offline });
}

const git = (url: string, revision?: string) =>
  ({ kind: "git", url, ...(revision === undefined ? {} : { revision }) }) as const;

describeUnless(needsProgram("git"))("revisions", () => {
  test("branches, tags of both kinds, commits long and short, and none", async () => {
    using work = createWorkspace();
    const repository = createRepository(work.at("repository"));
    const first = repository.commit({ "a.txt": "1" });
    repository.git("tag", "light");
    repository.git("tag", "-a", "heavy", "-m", "x");
    const second = repository.commit({ "a.txt": "2" });
    repository.git("branch", "feature/x");
    const third = repository.commit({ "a.txt": "3" });
    const of = (revision?: string) => sources(work).commit(git(repository.url, revision));
    expect(await of()).toBe(third);
    expect(await of("HEAD")).toBe(third);
    expect(await of("main")).toBe(third);
    expect(await of("feature/x")).toBe(second);
    expect(await of("light")).toBe(first);
    expect(await of("heavy")).toBe(first);
    expect(await of("refs/tags/heavy")).toBe(first);
    expect(await of(second)).toBe(second);
    expect(await of(second.slice(0, 8))).toBe(second);
  });

  test("what a killed git has left in a mirror is in nobody's way for long", async () => {
    using work = createWorkspace();
    const repository = createRepository(work.at("repository"));
    repository.commit({ "a.txt": "1" });
    await sources(work).commit(git(repository.url));
    const second = repository.commit({ "a.txt": "2" });
    const [mirror = ""] = readdirSync(work.at("git")).filter((name) => !name.includes("."));
    const lock = work.write(`git/${mirror}/refs/heads/main.lock`, "");
    const inUse = sources(work).commit(git(repository.url));
    await expect(inUse).rejects.toMatchObject({ code: "E_NETWORK" });
    const before = new Date(Date.now() - 120_000);
    utimesSync(lock, before, before);
    expect(await sources(work).commit(git(repository.url))).toBe(second);
    // As a kill leaves one that git was still making.
    rmSync(work.at(`git/${mirror}/config`));
    expect(await sources(work).commit(git(repository.url))).toBe(second);
    expect(existsSync(work.at(`git/${mirror}/config`))).toBe(true);
  });

  test("a branch goes before a tag, and before a commit that begins like it", async () => {
    using work = createWorkspace();
    const repository = createRepository(work.at("repository"));
    const first = repository.commit({ "a.txt": "1" });
    repository.git("tag", "both");
    const second = repository.commit({ "a.txt": "2" });
    repository.git("branch", "both");
    repository.git("branch", first.slice(0, 7));
    const of = (revision: string) => sources(work).commit(git(repository.url, revision));
    expect(await of("both")).toBe(second);
    expect(await of(first.slice(0, 7))).toBe(second);
    expect(await of(first.slice(0, 8))).toBe(first);
  });

  test("branches move; commits that are here are asked of nobody", async () => {
    using work = createWorkspace();
    const repository = createRepository(work.at("repository"));
    const first = repository.commit({ "a.txt": "1" });
    expect(await sources(work).commit(git(repository.url, "main"))).toBe(first);
    repository.git("checkout", "-q", "--orphan", "other");
    const second = repository.commit({ "a.txt": "2" });
    repository.git("branch", "-D", "main");
    repository.git("branch", "main/below");
    expect(await sources(work).commit(git(repository.url, "main/below"))).toBe(second);
    expect(await sources(work).commit(git(repository.url))).toBe(second);
    const gone = sources(work).commit(git(repository.url, "main"));
    await expect(gone).rejects.toMatchObject({
      code: "E_NOT_FOUND",
      message: `Cannot find "main" in "${repository.url}"`,
    });
    rmSync(repository.folder, { recursive: true });
    expect(await sources(work).commit(git(repository.url, first))).toBe(first);
    await expect(sources(work).commit(git(repository.url, "main"))).rejects.toMatchObject({
      code: "E_NETWORK",
      message: `Cannot ask "${repository.url}": git ended with exit code 128`,
      excerpt: expect.arrayContaining([expect.stringContaining("does not")]),
    });
    const offline = sources(work, { offline: true });
    expect(await offline.commit(git(repository.url, "main/below"))).toBe(second);
    expect(await offline.commit(git(repository.url))).toBe(second);
    expect(await offline.commit(git(repository.url, second.slice(0, 9)))).toBe(second);
    await expect(offline.commit(git(repository.url, "f".repeat(40)))).rejects.toMatchObject({
      code: "E_NOT_FOUND",
      message: `Cannot find "${"f".repeat(40)}" in "${repository.url}" in what was fetched before`,
    });
  });

  test("refs that are neither branch nor tag, and commits that no branch has", async () => {
    using work = createWorkspace();
    const repository = createRepository(work.at("repository"));
    const first = repository.commit({ "a.txt": "1" });
    const second = repository.commit({ "a.txt": "2" });
    repository.git("update-ref", "refs/pull/7/head", second);
    const third = repository.commit({ "a.txt": "3" });
    repository.git("reset", "-q", "--hard", first);
    const one = sources(work);
    expect(await one.commit(git(repository.url, "refs/pull/7/head"))).toBe(second);
    expect(await one.commit(git(repository.url, third))).toBe(third);
    await one.checkOut(git(repository.url), third, work.at("out"));
    expect(readFileSync(work.at("out/a.txt"), "utf8")).toBe("3");
  });

  test("what looks like an option, or is nowhere, is told", async () => {
    using work = createWorkspace();
    const repository = createRepository(work.at("repository"));
    repository.commit({ "a.txt": "1" });
    for (const revision of ["--upload-pack=touch pwned", "nope", "0".repeat(40), "abcd"]) {
      await expect(sources(work).commit(git(repository.url, revision))).rejects.toMatchObject({
        code: "E_NOT_FOUND",
        message: `Cannot find "${revision}" in "${repository.url}"`,
      });
    }
  });

  test("without git that is told", async () => {
    using work = createWorkspace();
    const none = sources(work, { user: { PATH: work.path } });
    await expect(none.commit(git("https://me:secret@host.test/x"))).rejects.toMatchObject({
      code: "E_NOT_FOUND",
      message: 'Cannot fetch "https://host.test/x": git is not installed',
    });
  });
});

describeUnless(needsProgram("git"))("checkouts", () => {
  test("have their history, tags and submodules, and lead to the server", async () => {
    using work = createWorkspace();
    const inner = createRepository(work.at("inner"));
    inner.commit({ "inner.txt": "inner" });
    const outer = createRepository(work.at("outer"));
    outer.commit({ "a.txt": "1" });
    outer.git("tag", "v1");
    const allowed = ["-c", "protocol.file.allow=always"];
    outer.git(...allowed, "submodule", "--quiet", "add", "../inner", "sub");
    const commit = outer.commit({ "a.txt": "2" });
    work.write(".gitconfig", "[protocol.file]\nallow = always\n");
    const one = sources(work, { user: { GIT_DIR: "/nowhere", GIT_WORK_TREE: "/nowhere" } });
    await one.checkOut(git(outer.url), commit, work.at("out"));
    expect(readFileSync(work.at("out/a.txt"), "utf8")).toBe("2");
    expect(readFileSync(work.at("out/sub/inner.txt"), "utf8")).toBe("inner");
    const run = (...args: string[]) =>
      Bun.spawnSync(["git", "-C", work.at("out"), ...args])
        .stdout.toString()
        .trim();
    expect(run("describe", "--tags")).toBe(`v1-1-g${commit.slice(0, 7)}`);
    expect(run("remote", "get-url", "origin")).toBe(outer.url);
    expect(run("status", "--porcelain")).toBe("");
  });

  test("two at once share one mirror", async () => {
    using work = createWorkspace();
    const repository = createRepository(work.at("repository"));
    const first = repository.commit({ "a.txt": "1" });
    const second = repository.commit({ "a.txt": "2" });
    await Promise.all([
      sources(work).checkOut(git(repository.url), first, work.at("one")),
      sources(work).checkOut(git(repository.url), second, work.at("two")),
    ]);
    expect(readFileSync(work.at("one/a.txt"), "utf8")).toBe("1");
    expect(readFileSync(work.at("two/a.txt"), "utf8")).toBe("2");
    expect(readdirSync(work.at("git")).filter((name) => !name.endsWith(".lock"))).toHaveLength(1);
  });
});

describeUnless(needsProgram("git"))("credentials", () => {
  test("reach the server, and no file, message or command line", async () => {
    using work = createWorkspace();
    const commands = work.at("commands");
    const real = Bun.which("git") ?? "git";
    work.write("bin/git", `#!/bin/sh\necho "$@" >> '${commands}'\nexec '${real}' "$@"\n`, {
      mode: 0o755,
    });
    const page = (request: Request) =>
      request.headers.get("authorization") === null
        ? new Response("who?", { status: 401, headers: { "WWW-Authenticate": "Basic realm=x" } })
        : new Response("broken", { status: 500 });
    await using server = startWebServer({ "/team/demo.git/info/refs": page });
    const url = `${server.url.replace("//", "//me:p%40ss@")}/team/demo.git`;
    const user = { PATH: `${work.at("bin")}:${process.env["PATH"]}` };
    const failure = await sources(work, { user })
      .commit(git(url, "main"))
      .catch((error) => error);
    expect(failure).toMatchObject({
      code: "E_NETWORK",
      message: `Cannot ask "${server.url}/team/demo.git": git ended with exit code 128`,
    });
    const sent = server.asked.map(({ headers }) => headers.get("authorization"));
    expect(sent).toContain(`Basic ${btoa("me:p@ss")}`);
    const traces = [Bun.inspect(failure), readFileSync(commands, "utf8")];
    for (const path of readdirSync(work.at("git"), { recursive: true, encoding: "utf8" })) {
      const file = work.at("git", path);
      if (existsSync(file) && !readdirSafely(file)) traces.push(readFileSync(file, "latin1"));
    }
    expect(traces.length).toBeGreaterThanOrEqual(5);
    expect(traces.join("\n")).not.toMatch(/p@ss|p%40ss/);
    expect(traces.join("\n")).toContain(`ls-remote -- ${server.url}/team/demo.git`);
  });
});

function readdirSafely(path: string): boolean {
  try {
    readdirSync(path);
    return true;
  } catch {
    return false;
  }
}
