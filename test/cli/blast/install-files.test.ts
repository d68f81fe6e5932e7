/** Requirements files, constraints, hashes, and pip's own configuration, end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { startTestIndex } from "../../support/test-index.ts";

setDefaultTimeout(60_000);

function offerApp({ index }: BlastWorld) {
  const [one, two] = ["1.0", "2.0"].map((version) =>
    index.add({ name: "app", version, requires: ["lib"] }),
  );
  const [low, high] = ["1.0", "1.5"].map((version) => index.add({ name: "lib", version }));
  const pick = (files: typeof one) => files?.[0] ?? Promise.reject(new Error("no file"));
  return Promise.all([pick(one), pick(two), pick(low), pick(high)]);
}

describe("-r", () => {
  test("comments, continuation lines, nested files, options; nothing is recorded", async () => {
    await using world = await blastWorld();
    await offerApp(world);
    world.index.add({ name: "nested", version: "3.0" });
    world.index.add({ name: "pre", version: "1.0" });
    world.index.add({ name: "pre", version: "2.0b1" });
    world.write("more/nested.txt", "nested>=2  # all of it\n-c ../bounds.txt\n");
    world.write("bounds.txt", "lib<1.2\nnever-asked==9\n");
    world.write(
      "req.txt",
      `
      # what we need
      app == \\
          1.0
      -r more/nested.txt
      --pre
      pre
      absent ; python_version < "3"
      `,
    );
    await world.ok("install", "-r", "req.txt");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0", nested: "3.0", pre: "2.0b1" });
    expect(world.requested()).toEqual(["app", "nested", "pre"]);
    expect(world.has("blast.toml")).toBe(false);
    expect(world.has("pylock.toml")).toBe(false);
    expect(world.flaws()).toEqual([]);
  });

  test("variables in braces", async () => {
    await using world = await blastWorld();
    await offerApp(world);
    world.write(
      "req.txt",
      `--index-url \${INDEX_HOST}/simple/\napp==\${APP_VERSION}\n$NOT\n`.replace("$NOT\n", ""),
    );
    const env = { PIP_INDEX_URL: "http://127.0.0.1:9/", INDEX_HOST: world.index.origin };
    const { code } = await world.blast(["install", "-r", "req.txt"], {
      env: { ...env, APP_VERSION: "1.0" },
    });
    expect(code).toBe(0);
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.5" });
  });

  test("--find-links with --no-index, relative to the file", async () => {
    await using world = await blastWorld();
    const [one, , low] = await offerApp(world);
    world.work.write(`project/sub/wheels/${one.filename}`, one.bytes);
    world.work.write(`project/sub/wheels/${low.filename}`, low.bytes);
    world.write("sub/req.txt", "--no-index\n--find-links wheels\napp\n");
    await world.ok("install", "-r", "sub/req.txt");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    expect(world.index.asked).toEqual([]);
  });

  test("from standard input, and beside names", async () => {
    await using world = await blastWorld();
    await offerApp(world);
    const { code, stderr } = await world.blast(["install", "lib<1.2", "-r", "-"], {
      stdin: "app<2\n",
    });
    expect([code, stderr]).toEqual([0, expect.stringContaining("Installed 2 packages")]);
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
  });

  test("what is wrong is told with file and line", async () => {
    await using world = await blastWorld();
    world.write("req.txt", "app\n\nno such = thing\n");
    const wrong = await world.fails(2, "install", "-r", "req.txt");
    expect(wrong.stderr).toContain("req.txt:3");
    const absent = await world.fails("install", "-r", "reqs.txt");
    expect(absent.stderr).toContain('"reqs.txt"');
    expect(absent.stderr).toMatch(/hint: .*req\.txt/);
    world.write("loop.txt", "-r loop2.txt\n");
    world.write("loop2.txt", "-r loop.txt\n");
    const loop = await world.blast(["install", "-r", "loop.txt"]);
    expect([1, 2]).toContain(loop.code);
  });
});

test("-c bounds what is needed and asks for nothing", async () => {
  await using world = await blastWorld();
  await offerApp(world);
  world.index.add({ name: "other" });
  world.write("bounds.txt", "lib==1.0\nother==1.0\n");
  await world.ok("install", "-c", "bounds.txt", "app");
  expect(world.installed()).toEqual({ app: "2.0", lib: "1.0" });
});

test("--override replaces what packages ask for", async () => {
  await using world = await blastWorld();
  await offerApp(world);
  world.index.add({ name: "strict", requires: ["lib==1.0"] });
  world.write("over.txt", "lib>=1.5\n");
  await world.ok("install", "--no-record", "--override", "over.txt", "strict");
  expect(world.installed()).toEqual({ lib: "1.5", strict: "1.0" });
});

describe("--require-hashes", () => {
  test("all given: installed; one is missing, or another: nothing is", async () => {
    await using world = await blastWorld();
    const [one, two, , high] = await offerApp(world);
    const line = (text: string, ...sums: string[]): string =>
      [text, ...sums.map((sum) => `--hash=sha256:${sum}`)].join(" \\\n    ");
    world.write("missing.txt", `${line("app==1.0", one.sha256)}\n`);
    const missing = await world.fails("install", "--require-hashes", "-r", "missing.txt");
    expect(missing.stderr).toContain('"lib==1.5"');
    const bad = "0".repeat(64);
    world.write("wrong.txt", `${line("app==1.0", bad)}\n${line("lib==1.5", high.sha256)}\n`);
    const wrong = await world.fails("install", "--require-hashes", "-r", "wrong.txt");
    expect(wrong.stderr).toContain(one.filename);
    expect(wrong.stderr).toContain(one.sha256);
    expect(world.installed()).toEqual({});
    // A hash on any line asks for hashes on all of them, as with pip.
    world.write("implied.txt", `${line("app==1.0", one.sha256)}\n`);
    await world.fails("install", "-r", "implied.txt");
    world.write(
      "right.txt",
      `${line("app==1.0", bad, one.sha256, two.sha256)}\n${line("lib==1.5", high.sha256)}\n`,
    );
    await world.ok("install", "--require-hashes", "-r", "right.txt");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.5" });
  });

  test("the index tells no hashes: the file's own is computed", async () => {
    await using world = await blastWorld();
    const [plain] = world.index.add({ name: "plain" }, { sha256: null });
    world.write("wrong.txt", `plain==1.0 --hash=sha256:${"1".repeat(64)}\n`);
    const wrong = await world.fails("install", "-r", "wrong.txt");
    expect(wrong.stderr).toContain(plain!.sha256);
    expect(world.installed()).toEqual({});
    const sums = `--hash=sha256:${"1".repeat(64)} --hash=sha256:${plain!.sha256}`;
    world.write("right.txt", `plain==1.0 ${sums}\n`);
    await world.ok("install", "-r", "right.txt");
    expect(world.installed()).toEqual({ plain: "1.0" });
  });

  test("of an address", async () => {
    await using world = await blastWorld();
    const [file] = world.index.add({ name: "apart" });
    const url = world.index.fileUrl(file!);
    world.write("wrong.txt", `apart @ ${url} --hash=sha256:${"1".repeat(64)}\n`);
    await world.fails("install", "-r", "wrong.txt");
    expect(world.installed()).toEqual({});
    world.write("right.txt", `apart @ ${url} --hash=sha256:${file!.sha256}\n`);
    await world.ok("install", "-r", "right.txt");
    expect(world.installed()).toEqual({ apart: "1.0" });
  });
});

describe("pip's configuration", () => {
  test("pip.conf of the user, PIP_* before it, flags before both", async () => {
    await using world = await blastWorld();
    await using second = startTestIndex();
    await offerApp(world);
    second.add({ name: "app", version: "7.0" });
    const conf = world.work.write(
      "home/.config/pip/pip.conf",
      `[global]\nindex-url = ${second.url}\n`,
    );
    const env = { PIP_CONFIG_FILE: undefined, PIP_INDEX_URL: undefined };
    const seen = async (args: readonly string[], more = {}) => {
      const run = await world.blast(["install", "--dry-run", "--json", "--no-record", ...args], {
        env: { ...env, ...more },
      });
      expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(/^Would make [^\n]+\n$/)]);
      return JSON.parse(run.stdout).installed[0];
    };
    const seven = { name: "app", version: "7.0" };
    const two = { name: "app", version: "2.0" };
    expect(await seen(["app"])).toEqual(seven);
    expect(await seen(["app"], { PIP_INDEX_URL: world.index.url })).toEqual(two);
    expect(await seen(["app", "--index-url", world.index.url])).toEqual(two);
    expect(
      await seen(["app"], { PIP_CONFIG_FILE: "/dev/null", PIP_INDEX_URL: world.index.url }),
    ).toEqual(two);
    world.work.write("elsewhere/pip.ini", `[install]\nindex-url = ${world.index.url}\n`);
    expect(await seen(["app"], { PIP_CONFIG_FILE: world.work.at("elsewhere/pip.ini") })).toEqual(
      two,
    );
    expect(dirname(conf)).toContain("home");
  });

  test("an extra index answers alone for the names that it has", async () => {
    await using world = await blastWorld();
    await using own = startTestIndex();
    await offerApp(world);
    own.add({ name: "app", version: "0.1" });
    await world.ok("install", "--no-record", "--extra-index-url", own.url, "app", "lib");
    expect(world.installed()).toEqual({ app: "0.1", lib: "1.5" });
    expect(world.index.asked.map(({ path }) => path)).not.toContain("/simple/app/");
    const bad = await world.blast(["install", "--no-record", "app>=2"], {
      env: { PIP_EXTRA_INDEX_URL: own.url },
    });
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain("app");
  });

  test("credentials go where they are asked for, and are shown nowhere", async () => {
    await using world = await blastWorld();
    await offerApp(world);
    world.index.fault(/./, (request, answer) =>
      request.headers.get("authorization") === `Basic ${btoa("me:pass word")}`
        ? answer()
        : new Response("who are you?", { status: 401 }),
    );
    const url = world.index.url.replace("://", "://me:pass%20word@");
    const run = await world.blast(["install", "-vv", "app"], { env: { PIP_INDEX_URL: url } });
    expect(run.code).toBe(0);
    expect(world.installed()).toEqual({ app: "2.0", lib: "1.5" });
    const wrong = await world.blast(["install", "--no-record", "-vv", "-U", "--no-cache", "app"], {
      env: { PIP_INDEX_URL: url.replace("word", "wrong") },
    });
    expect(wrong.code).toBe(1);
    for (const text of [run.stdout, run.stderr, wrong.stdout, wrong.stderr]) {
      expect(text).not.toMatch(/pass( |%20)w/);
    }
    for (const file of ["blast.toml", "pylock.toml"])
      expect(world.read(file)).not.toContain("pass");
    const netrc = world.work.write(
      "home/.netrc",
      'machine 127.0.0.1 login me password "pass word"\n',
      { mode: 0o600 },
    );
    const byNetrc = await world.blast(["install", "--no-record", "-U", "--no-cache", "app"], {
      env: { NETRC: netrc },
    });
    expect([byNetrc.code, byNetrc.stderr]).toEqual([0, expect.stringContaining("Nothing to do")]);
  });

  test("keyring-provider = subprocess: the keyring is asked", async () => {
    await using world = await blastWorld();
    await offerApp(world);
    world.index.fault(/./, (request, answer) =>
      request.headers.get("authorization") === `Basic ${btoa("me:from-keyring")}`
        ? answer()
        : new Response("who are you?", { status: 401 }),
    );
    const script = "#!/bin/sh\nprintf 'me\\nfrom-keyring\\n'\n";
    const keyring = world.work.write("keyring/keyring", script, { mode: 0o755 });
    const env = { PATH: `${dirname(keyring)}:${world.env["PATH"]}` };
    expect((await world.blast(["install", "app"], { env })).code).toBe(1);
    const asked = { ...env, PIP_KEYRING_PROVIDER: "subprocess" };
    expect((await world.blast(["install", "app"], { env: asked })).code).toBe(0);
    expect(world.installed()).toEqual({ app: "2.0", lib: "1.5" });
  });

  test("PIP_NO_INDEX with PIP_FIND_LINKS, PIP_PRE, PIP_NO_BINARY", async () => {
    await using world = await blastWorld();
    const [one, , low] = await offerApp(world);
    for (const file of [one, low]) world.work.write(`wheels/${file.filename}`, file.bytes);
    const env = { PIP_NO_INDEX: "1", PIP_FIND_LINKS: world.work.at("wheels") };
    const run = await world.blast(["install", "--no-record", "app"], { env });
    expect(run.code).toBe(0);
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    expect(world.index.asked).toEqual([]);
    world.index.add({ name: "pre", version: "1.0" });
    world.index.add({ name: "pre", version: "2.0a1" });
    await world.blast(["install", "--no-record", "pre"], { env: { PIP_PRE: "yes" } });
    expect(world.installed()["pre"]).toBe("2.0a1");
    world.index.add({ name: "wheels-only" });
    const none = await world.blast(["install", "--no-record", "wheels-only"], {
      env: { PIP_NO_BINARY: ":all:" },
    });
    expect(none.code).toBe(1);
    expect(none.stderr).toContain("wheels-only");
  });

  test("PIP_REQUIRE_HASHES", async () => {
    await using world = await blastWorld();
    await offerApp(world);
    const run = await world.blast(["install", "--no-record", "app"], {
      env: { PIP_REQUIRE_HASHES: "1" },
    });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("no hash");
  });
});

test("what passwords the command line holds is written down nowhere", async () => {
  await using world = await blastWorld();
  world.index.add({ name: "lib" });
  const place = world.index.url.replace("://", "://me:hunter2@");
  await world.ok("start");
  await world.ok("install", "--no-record", "--index-url", place, "lib");
  const state = join(world.venv, ".blast");
  const grep = Bun.spawnSync(["grep", "-rl", "hunter2", state, world.cache, world.project]);
  expect(grep.stdout.toString()).toBe("");
  expect(readFileSync(join(state, "done-1/journal.json"), "utf8")).toContain("me:***@");
  const { stderr } = await world.ok("undo");
  expect(stderr).toContain("Taken back: blast install --no-record --index-url http://me:***@");
  world.write("blast.toml", '[packages]\ndependencies = ["lib"]\n');
  await world.ok("start", "-e", "TOKEN=hunter3", "--env=OTHER=hunter4", "mine");
  expect(Bun.spawnSync(["grep", "-r", "hunter[34]", state]).stdout.toString()).toBe("");
  expect((await world.ok("undo")).stderr).toContain("blast start -e TOKEN=… --env=OTHER=… mine");
});
