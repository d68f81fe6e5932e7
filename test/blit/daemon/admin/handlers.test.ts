import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, chownSync, existsSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { remoteSource } from "../../../../src/blit/admin/remote-source.ts";
import type { AdminRequest } from "../../../../src/blit/admin/request.ts";
import { ports } from "../../../../src/blit/ports.ts";
import { Fault } from "../../../../src/kit/fault/fault.ts";
import { createAdminWorker } from "../../../../src/workers.ts";
import { serveAdmin, testModule } from "../../../support/admin-daemon.ts";
import { connectTo, faultOf } from "../../../support/control.ts";
import { openBelow } from "../../../support/open-descriptors.ts";
import { needsRoot, testUnless } from "../../../support/skip.ts";
import { createWorkspace } from "../../../support/workspace.ts";

beforeAll(() => {
  ports.createAdminWorker = createAdminWorker;
});
afterAll(() => {
  ports.createAdminWorker = undefined;
});

async function all<T>(chunks: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

const everything = {
  namePattern: undefined,
  foldsCase: false,
  kind: undefined,
  sizeMinBytes: 0,
  sizeMaxBytes: undefined,
  mtimeSinceSec: undefined,
  mtimeUntilSec: undefined,
  resultsMax: Number.MAX_SAFE_INTEGER,
};

test("each request is answered as here, over the wire", async () => {
  using work = createWorkspace();
  // Bun's utimes knows no time before 1970.
  Bun.spawnSync(["touch", "-d", "@-1000", work.write("data/a/one", "12345")]);
  work.write("data/two", "");
  writeFileSync(Buffer.from(`${work.at("data")}/\xff\n`, "latin1"), "");
  symlinkSync("two", work.at("data/link"));
  await using daemon = await serveAdmin([testModule({ name: "m", path: work.at("data") })]);
  using client = await connectTo(daemon.server);
  const source = remoteSource(client, "m");
  const listed = await all(source.run({ call: "list", path: "", isEntryItself: false }));
  const entries = listed.flatMap((chunk) => chunk.entries);
  expect(entries.map(({ path, kind, linkTarget }) => [path, kind, linkTarget]).sort()).toEqual([
    ["a", "folder", undefined],
    ["link", "symlink", "two"],
    ["two", "file", undefined],
    ["\xff\n", "file", undefined],
  ]);
  const [found] = await all(
    source.run({ call: "find", path: "", query: { ...everything, namePattern: "on*" } }),
  );
  expect(found?.entries).toMatchObject([{ path: "a/one", sizeBytes: 5, mtimeSec: -1000 }]);
  const [usage] = await all(source.run({ call: "usage", path: "", depth: 1 }));
  expect(usage?.usages.map(({ path, bytes, files }) => [path, bytes, files])).toEqual([
    ["a", 5, 1],
    ["", 8, 4],
  ]);
  const [stats] = await all(source.run({ call: "stats", path: "a" }));
  expect(stats?.totalBytes).toBeGreaterThan(0);
  const query = { paths: ["a"], isRecursive: true, isDryRun: false, agreedEntries: 2 };
  const removed = await all(source.run({ call: "purge", query }));
  expect(removed.at(-1)).toMatchObject({ entries: 2, bytes: 5, isDone: true });
  expect(existsSync(work.at("data/a"))).toBe(false);
});

test("ping and the list of modules tell what the caller may use", async () => {
  using work = createWorkspace();
  await using daemon = await serveAdmin([
    testModule({ name: "open", path: work.path, comment: "Everybody's", readOnly: true }),
    testModule({ name: "closed", path: work.path, users: [] }),
    testModule({ name: "", path: work.path }),
  ]);
  using client = await connectTo(daemon.server);
  expect(await client.ping({})).toMatchObject({ motd: "Be kind", moduleCount: 1 });
  const [answer] = await all(client.list({}));
  expect(answer?.modules).toMatchObject([{ name: "open", comment: "Everybody's", readOnly: true }]);
});

test("nothing leads out of a module, and a read-only one stays as it is", async () => {
  using work = createWorkspace();
  work.write("secret/key", "s");
  work.write("data/sub/file", "");
  symlinkSync("../secret", work.at("data/out"));
  await using daemon = await serveAdmin([
    testModule({ name: "m", path: work.at("data") }),
    testModule({ name: "fixed", path: work.at("data"), readOnly: true }),
  ]);
  using client = await connectTo(daemon.server);
  const codeOf = async (module: string, request: AdminRequest): Promise<string> =>
    (await faultOf(all(remoteSource(client, module).run(request)))).code;
  for (const path of ["../secret", "out/", "sub/../../secret", "out/key"]) {
    expect(await codeOf("m", { call: "list", path, isEntryItself: false })).toBe("E_REFUSED");
    expect(await codeOf("m", { call: "usage", path, depth: 0 })).toBe("E_REFUSED");
    expect(await codeOf("m", { call: "stats", path })).toBe("E_REFUSED");
    expect(await codeOf("m", { call: "find", path, query: everything })).toBe("E_REFUSED");
  }
  const query = { isRecursive: true, isDryRun: false, agreedEntries: undefined };
  for (const path of ["../secret", "out/key", "", "."]) {
    expect(await codeOf("m", { call: "purge", query: { ...query, paths: [path] } })).toBe(
      "E_REFUSED",
    );
  }
  for (const isDryRun of [false, true]) {
    const request = { ...query, isDryRun, paths: ["sub"] };
    expect(await codeOf("fixed", { call: "purge", query: request })).toBe("E_REFUSED");
  }
  expect(await codeOf("gone", { call: "stats", path: "" })).toBe("E_NOT_FOUND");
  expect(readdirSync(work.at("secret"))).toEqual(["key"]);
  expect(readdirSync(work.at("data/sub"))).toEqual(["file"]);
}, 60_000);

test("hostile requests are refused", async () => {
  using work = createWorkspace();
  await using daemon = await serveAdmin([testModule({ name: "m", path: work.path })]);
  using client = await connectTo(daemon.server);
  const path = (bytes: string): Uint8Array => Buffer.from(bytes, "latin1");
  const requests = [
    client.list({ place: { module: "m", path: path("a\0b") } }),
    client.list({ place: { module: "m", path: path("a/".repeat(100_000)) } }),
    client.find({}),
    client.find({ place: { module: "m" }, resultsMax: 2n ** 63n }),
    client.purge({ module: "m", paths: [] }),
    client.purge({ module: "m", paths: Array.from({ length: 600 }, () => path("x")) }),
    client.purge({ module: "m", paths: [path("x")], agreedEntries: 2n ** 60n }),
  ];
  const codes: string[] = [];
  for (const request of requests) codes.push((await faultOf(all<unknown>(request))).code);
  expect(codes).toEqual([
    "E_INTEGRITY",
    "E_IO",
    "E_USAGE",
    "E_INTEGRITY",
    "E_USAGE",
    "E_USAGE",
    "E_INTEGRITY",
  ]);
});

test("answers that nobody takes do not pile up, and leave nothing open", async () => {
  using work = createWorkspace();
  const folder = work.folder("data/many");
  const long = "n".repeat(200);
  for (let index = 0; index < 4000; index += 1) writeFileSync(`${folder}/${long}${index}`, "");
  await using daemon = await serveAdmin([
    testModule({ name: "m", path: work.at("data"), connectionsMax: 3 }),
  ]);
  const place = { module: "m", path: Buffer.from("many") };
  const before = openBelow(work.path);
  for (let round = 0; round < 3; round += 1) {
    const client = await connectTo(daemon.server);
    const answers = client.list({ place })[Symbol.asyncIterator]();
    expect((await answers.next()).done).toBe(false);
    client.close();
  }
  // Three at a time may use the module: the last one gets in when the others have been let go.
  using again = await connectTo(daemon.server);
  const listed = await untilLetIn(() => all(again.list({ place })));
  expect(listed.flatMap(({ entries }) => entries)).toHaveLength(4000);
  while (openBelow(work.path) !== before) await turn();
}, 60_000);

/** Tries again as long as a module is full. */
async function untilLetIn<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Fault) || !error.message.includes("use it already")) throw error;
      await turn();
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

testUnless(needsRoot())(
  "a module of another user is looked at with that user's rights",
  async () => {
    using work = createWorkspace();
    chmodSync(work.path, 0o755);
    work.write("data/private/key", "s");
    work.write("data/shared/file", "1");
    chmodSync(work.at("data/private"), 0o700);
    chownSync(work.at("data/shared"), 65_534, 65_534);
    await using daemon = await serveAdmin([
      testModule({
        name: "m",
        path: work.at("data"),
        useChroot: true,
        runAs: { uid: 65_534, gid: 65_534 },
      }),
    ]);
    using client = await connectTo(daemon.server);
    const source = remoteSource(client, "m");
    const denied = await faultOf(
      all(source.run({ call: "list", path: "private", isEntryItself: false })),
    );
    expect(denied.code).toBe("E_PRIVILEGE");
    const query = { isRecursive: true, isDryRun: false, agreedEntries: undefined };
    const failed = await all(
      source.run({ call: "purge", query: { ...query, paths: ["private"] } }),
    );
    expect(failed.flatMap(({ issues }) => issues).length).toBeGreaterThan(0);
    expect(existsSync(work.at("data/private/key"))).toBe(true);
    const [found] = await all(source.run({ call: "find", path: "/shared", query: everything }));
    expect(found?.entries.map(({ path }) => path)).toEqual(["file"]);
    const removed = await all(
      source.run({ call: "purge", query: { ...query, paths: ["shared/file"] } }),
    );
    expect(removed.at(-1)).toMatchObject({ entries: 1, issues: [] });
  },
);
