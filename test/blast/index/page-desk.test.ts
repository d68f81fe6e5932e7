import { afterEach, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CacheFolder } from "../../../src/blast/index/cache-folder.ts";
import { decodePage, pageInMemory } from "../../../src/blast/index/digest.ts";
import { PageDesk } from "../../../src/blast/index/page-desk.ts";
import type { MadePage, PageJob } from "../../../src/blast/index/page-work.ts";
import type { PackageName } from "../../../src/blast/pep/name.ts";
import { createPageWorker } from "../../../src/workers.ts";
import { createWorkspace } from "../../support/workspace.ts";

const INDEX = "https://index.example/simple/";
const MIB = 1024 * 1024;

const desks: PageDesk[] = [];
afterEach(async () => {
  for (const desk of desks.splice(0)) await desk.close();
});

/** A desk, the threads it has started, and what it has warned of. */
function openDesk(cacheFolder: string, makeWorker: () => Worker = createPageWorker) {
  const workers: Worker[] = [];
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const createWorker = (): Worker => {
    const worker = makeWorker();
    workers.push(worker);
    return worker;
  };
  const cache = new CacheFolder(cacheFolder, warn);
  const desk = new PageDesk({ cache, cacheFolder, warn, createWorker });
  desks.push(desk);
  return { desk, workers, warnings };
}

/** An answer of some size; `versions` files of one wheel each. */
function job(name: string, options: { versions?: number; padding?: number; path?: string } = {}) {
  const { versions = 3, padding = 0, path } = options;
  const files = Array.from({ length: versions }, (_, version) => ({
    filename: `${name}-${version}-py3-none-any.whl`,
    url: `${name}-${version}-py3-none-any.whl`,
    hashes: { sha256: version.toString(16).padStart(64, "0") },
  }));
  const page = { meta: { "api-version": "1.0" }, name, files, padding: "x".repeat(padding) };
  const answer = {
    url: `${INDEX}${name}/`,
    contentType: "application/vnd.pypi.simple.v1+json",
    bytes: new TextEncoder().encode(JSON.stringify(page)),
  };
  return { head: { index: INDEX, name }, answer, path } satisfies PageJob;
}

function versionsOf(made: MadePage, name: string): string[] | undefined {
  const bytes = pageInMemory(Buffer.from(made.bytes));
  const page = decodePage(bytes, { index: INDEX, name: name as PackageName });
  return page?.project.versions.map(({ version }) => version.toString());
}

/** Gives it work until its thread has taken a job. */
async function untilThreaded(desk: PageDesk): Promise<void> {
  await desk.make(job("much", { padding: 2 * MIB }));
  for (;;) {
    const made = desk.make(job("more"));
    if (made instanceof Promise) return void (await made);
    await Bun.sleep(1);
  }
}

test("little is read here, at once, and starts no thread", () => {
  using work = createWorkspace();
  const { desk, workers } = openDesk(work.path);
  const path = work.at("pages/a.page");
  const made = desk.make(job("a", { path }));
  expect(made).not.toBeInstanceOf(Promise);
  expect(versionsOf(made as MadePage, "a")).toEqual(["2", "1", "0"]);
  expect((made as MadePage).stamp).toBeString();
  expect(readFileSync(path)).toEqual(Buffer.from((made as MadePage).bytes));
  expect(workers).toHaveLength(0);
});

test("a thread reads and writes the same; what is to be kept is there at the end", async () => {
  using work = createWorkspace();
  const { desk, workers, warnings } = openDesk(work.path);
  await untilThreaded(desk);
  const names = Array.from({ length: 20 }, (_, index) => `p${index}`);
  const made = await Promise.all(
    names.map((name, index) =>
      desk.make(job(name, { versions: index, path: join(work.path, `pages/${name}.page`) })),
    ),
  );
  for (const [index, page] of made.entries()) {
    const name = names[index] ?? "";
    expect(versionsOf(page, name)).toHaveLength(index);
    expect(page.stamp).toBeString();
    expect(readFileSync(work.at(`pages/${name}.page`))).toEqual(Buffer.from(page.bytes));
  }
  for (const line of ["one", "two", "three"]) desk.append(work.at("lines/a"), `${line}\n`);
  await desk.close();
  expect(readFileSync(work.at("lines/a"), "utf8")).toBe("one\ntwo\nthree\n");
  expect(workers).toHaveLength(1);
  expect(warnings).toEqual([]);
});

test("a name that the index does not know is a page too", async () => {
  using work = createWorkspace();
  const { desk } = openDesk(work.path);
  await untilThreaded(desk);
  const head = { index: INDEX, name: "none", missing: true } as const;
  const path = work.at("none.page");
  const made = await desk.make({ head, answer: undefined, path });
  expect(versionsOf(made, "none")).toEqual([]);
  expect(existsSync(path)).toBe(true);
});

test("what is no page is a fault from a thread as it is here", async () => {
  using work = createWorkspace();
  const { desk } = openDesk(work.path);
  const bad = (): PageJob => {
    const { head, answer } = job("bad");
    return { head, answer: { ...answer, bytes: Buffer.from("{}") }, path: undefined };
  };
  expect(() => desk.make(bad())).toThrow(/^Cannot read "https.*no valid JSON of an index$/);
  await untilThreaded(desk);
  const failure = await Promise.resolve(desk.make(bad())).catch((error) => error);
  expect(failure).toMatchObject({ code: "E_NETWORK", details: { kind: "page" } });
});

test("a cache that cannot be written is told of, and pages come all the same", async () => {
  using work = createWorkspace();
  const { desk, warnings } = openDesk(work.path);
  await untilThreaded(desk);
  work.write("file", "");
  const made = await desk.make(job("a", { path: work.at("file/a.page") }));
  expect(versionsOf(made, "a")).toHaveLength(3);
  expect(made.stamp).toBeUndefined();
  expect(warnings).toEqual([expect.stringContaining(`write to the cache in "${work.path}"`)]);
});

test("a thread that ends takes its page with it, not the ones after it", async () => {
  using work = createWorkspace();
  const { desk, workers } = openDesk(work.path);
  await untilThreaded(desk);
  const lost = Promise.resolve(desk.make(job("a", { versions: 60_000 }))).catch((error) => error);
  workers[0]?.terminate();
  expect(await lost).toMatchObject({ code: "E_BUG" });
  expect(versionsOf(await desk.make(job("b")), "b")).toHaveLength(3);
  desk.append(work.at("lines"), "here\n");
  await desk.close();
  expect(readFileSync(work.at("lines"), "utf8")).toBe("here\n");
});
