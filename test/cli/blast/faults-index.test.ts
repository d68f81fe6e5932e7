/** Servers that fail, lie, dawdle or are not there; end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { type PackageFile, packageFiles } from "../../support/test-packages.ts";
import { startRawServer } from "../../support/web-server.ts";

setDefaultTimeout(60_000);

function offer({ index }: BlastWorld): PackageFile {
  const [app] = index.add({ name: "app", requires: ["lib"] });
  index.add({ name: "lib", version: "1.0" });
  if (app === undefined) throw new Error("no file");
  return app;
}

/** Nothing was recorded, nothing is installed, and what is there is whole. */
function expectNothing(world: BlastWorld): void {
  expect(world.has("blast.toml")).toBe(false);
  expect(world.has("pylock.toml")).toBe(false);
  if (!world.has(".venv")) return;
  expect(world.installed()).toEqual({});
  expect(world.flaws()).toEqual([]);
}

/** Retries without their pauses would be too fast to be kind, with them the tests too slow. */
const QUICK = { PIP_RETRIES: "1", PIP_DEFAULT_TIMEOUT: "1" };

describe("500", () => {
  for (const [what, path] of Object.entries({
    page: /\/simple\/lib\//,
    metadata: /\.metadata$/,
    wheel: /\.whl$/,
  })) {
    test(`once, for a ${what}: tried again`, async () => {
      await using world = await blastWorld();
      offer(world);
      world.index.fault(path, (_, answer, hit) =>
        hit === 0 ? new Response("oh", { status: 500 }) : answer(),
      );
      await world.ok("install", "app");
      expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    });

    test(`always, for a ${what}: told, with the host and the status`, async () => {
      await using world = await blastWorld();
      offer(world);
      world.index.fault(path, () => new Response("oh", { status: 503 }));
      const run = await world.blast(["install", "app"], { env: QUICK });
      if (what === "metadata" && run.code === 0) {
        // The wheel itself tells the same.
        expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
        return;
      }
      expect(run.code).toBe(1);
      expect(run.stderr).toContain("503");
      expect(run.stderr).toContain("127.0.0.1");
      expect(run.stderr).not.toMatch(/\n\s+at /);
      expectNothing(world);
    });
  }

  test("as often as PIP_RETRIES says", async () => {
    await using world = await blastWorld();
    offer(world);
    world.index.fault(/\/simple\/app\//, () => new Response("oh", { status: 500 }));
    await world.blast(["install", "app"], { env: { PIP_RETRIES: "2" } });
    expect(world.index.asked.filter(({ path }) => path === "/simple/app/")).toHaveLength(3);
    await world.blast(["install", "app"], { env: { PIP_RETRIES: "0" } });
    expect(world.index.asked.filter(({ path }) => path === "/simple/app/")).toHaveLength(4);
  });

  test("403 and 404 are no reasons to try again", async () => {
    await using world = await blastWorld();
    offer(world);
    world.index.fault(/\/simple\/app\//, () => new Response("no", { status: 403 }));
    const { stderr } = await world.fails("install", "app");
    expect(stderr).toContain("403");
    expect(world.index.asked).toHaveLength(1);
    expectNothing(world);
  });
});

describe("slow", () => {
  test("an answer that never comes: the timeout ends it", async () => {
    await using world = await blastWorld();
    offer(world);
    world.index.fault(/\/simple\/lib\//, () => new Promise<never>(() => {}));
    const run = await world.blast(["install", "app"], { env: { ...QUICK, PIP_RETRIES: "0" } });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/1 s|timed? ?out|silen/i);
    expectNothing(world);
  });

  test("a body that stops in its middle", async () => {
    await using world = await blastWorld();
    const app = offer(world);
    world.index.fault(/app-1\.0.*\.whl$/, () => {
      const stream = new ReadableStream({
        async start(controller) {
          controller.enqueue(app.bytes.subarray(0, 100));
          await Bun.sleep(20_000);
          controller.close();
        },
      });
      return new Response(stream, { headers: { "Content-Length": String(app.bytes.length) } });
    });
    const run = await world.blast(["install", "app"], { env: { ...QUICK, PIP_RETRIES: "0" } });
    expect(run.code).toBe(1);
    expectNothing(world);
  });

  test("request_timeout of blast.toml", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", "[resolver]\nrequest_timeout = 1\nretries = 0\n");
    world.index.fault(/\/simple\//, () => new Promise<never>(() => {}));
    await world.fails("install", "app");
  });
});

describe("truncated", () => {
  test("a wheel that ends too early once is fetched on", async () => {
    await using world = await blastWorld();
    const app = offer(world);
    await using broken = await startRawServer((socket) => {
      const head = `HTTP/1.1 200 OK\r\nContent-Length: ${app.bytes.length}\r\n\r\n`;
      socket.end(Buffer.concat([Buffer.from(head), app.bytes.subarray(0, 200)]));
    });
    world.index.fault(/app-1\.0.*\.whl$/, (_, answer, hit) =>
      hit === 0 ? Response.redirect(`${broken.url}/app.whl`) : answer(),
    );
    await world.ok("install", "app");
    expect(broken.asked).toHaveLength(1);
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
  });

  test("one that is always short is refused", async () => {
    await using world = await blastWorld();
    const app = offer(world);
    world.index.fault(/app-1\.0.*\.whl$/, () => new Response(app.bytes.subarray(0, 200)));
    const { code, stderr } = await world.blast(["install", "app"], { env: QUICK });
    expect(code).toBe(1);
    expect(stderr).toContain("app-1.0-py3-none-any.whl");
    expectNothing(world);
  });

  test("a page that is cut off, or no page at all", async () => {
    for (const body of ['{"meta": {"api-version": "1.0"}, "fil', "<html", "", "\0\0\0"]) {
      await using world = await blastWorld();
      offer(world);
      const type = { "Content-Type": "application/vnd.pypi.simple.v1+json" };
      world.index.fault(/\/simple\/app\//, () => new Response(body, { headers: type }));
      const { code, stderr } = await world.blast(["install", "app"], { env: QUICK });
      expect(code).toBe(1);
      expect(stderr).toStartWith("error: ");
      expectNothing(world);
    }
  });
});

describe("lies", () => {
  test("a wheel with another hash than the page says", async () => {
    await using world = await blastWorld();
    world.index.add({ name: "app" }, { sha256: "0".repeat(64) });
    const { stderr } = await world.fails("install", "app");
    expect(stderr).toContain("app-1.0-py3-none-any.whl");
    expect(stderr).toContain("sha256");
    expectNothing(world);
    // Nothing of it was kept for another time.
    await world.fails("install", "app");
    expectNothing(world);
  });

  test("METADATA beside the wheel that differs from the wheel's own", async () => {
    await using world = await blastWorld();
    const text = "Metadata-Version: 2.3\nName: app\nVersion: 1.0\n\n";
    world.index.add({ name: "lib" });
    world.index.add({ name: "app", requires: ["lib"] }, { metadata: text });
    const { stderr } = await world.fails("install", "app");
    expect(stderr).toMatch(/METADATA|metadata/);
    expectNothing(world);
  });

  test("METADATA with another hash than the page says", async () => {
    await using world = await blastWorld();
    offer(world);
    world.index.fault(
      /app.*\.metadata$/,
      () => new Response("Metadata-Version: 2.3\nName: app\nVersion: 1.0\n\n"),
    );
    const { code, stderr } = await world.blast(["install", "app"], { env: QUICK });
    // It is refused, or the wheel itself is asked.
    if (code === 0) expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    else {
      expect([code, stderr]).toEqual([1, expect.stringContaining("app")]);
      expectNothing(world);
    }
  });

  test("a wheel of another name or version under this one's file name", async () => {
    for (const inner of [{ name: "other" }, { name: "app", version: "9.9" }]) {
      await using world = await blastWorld();
      const [file] = packageFiles(inner);
      if (file === undefined) throw new Error("no file");
      world.index.addFile("app", { ...file, filename: "app-1.0-py3-none-any.whl" });
      const { stderr } = await world.fails("install", "app");
      expect(stderr).toContain("app==1.0");
      expect(stderr).toMatch(/other|9\.9/);
      expectNothing(world);
    }
  });

  test("files of other projects and odd file names on a page are left alone", async () => {
    await using world = await blastWorld();
    offer(world);
    const [other] = packageFiles({ name: "other", version: "9.0" });
    for (const filename of ["app-x.whl", "../../app-7.0-py3-none-any.whl", "app-8.0.exe"]) {
      if (other !== undefined) world.index.addFile("app", { ...other, filename });
    }
    if (other !== undefined) world.index.addFile("app", other);
    await world.ok("install", "app");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
  });

  test("a redirect in a circle, and one to a file of this machine", async () => {
    for (const target of ["/simple/app/", "file:///etc/passwd"]) {
      await using world = await blastWorld();
      offer(world);
      world.index.fault(
        /\/simple\/app\//,
        () => new Response(null, { status: 302, headers: { Location: target } }),
      );
      const { code } = await world.blast(["install", "app"], { env: QUICK });
      expect(code).toBe(1);
      expectNothing(world);
    }
  });
});

describe("offline", () => {
  test("with a cache all of it works, without one it is told what is missing", async () => {
    await using world = await blastWorld();
    offer(world);
    const bare = await world.fails("install", "--offline", "app");
    expect(bare.stderr).toContain("offline");
    expectNothing(world);
    expect(world.index.asked).toEqual([]);
    await world.ok("install", "app");
    await world.ok("remove", "app");
    const asked = world.index.asked.length;
    await world.ok("install", "--offline", "app");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    const absent = await world.fails("install", "--offline", "other");
    expect(absent.stderr).toContain("other");
    expect(world.index.asked).toHaveLength(asked);
  });

  test("the server is gone: told as that", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.index[Symbol.asyncDispose]();
    const { code, stderr } = await world.blast(["install", "app"], { env: QUICK });
    expect(code).toBe(1);
    expect(stderr).toContain("127.0.0.1");
    expect(stderr).toMatch(/^hint: /m);
    expectNothing(world);
  });
});

test("an index that speaks HTML alone, without metadata beside the wheels or ranges", async () => {
  await using world = await blastWorld();
  world.index.json = false;
  world.index.add({ name: "app", requires: ["lib>=1"] }, { core: false });
  world.index.add({ name: "lib", version: "1.0", requiresPython: ">=3.6,<99" }, { core: false });
  world.index.fault(/\.whl$/, (request, answer) => {
    if (request.headers.get("range") === null) return answer();
    return new Response("no ranges here", { status: 416 });
  });
  await world.ok("install", "app");
  expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
  expect(world.flaws()).toEqual([]);
});
