import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { counter } from "../../../src/blit/engine/shared-state.ts";
import { ports } from "../../../src/blit/ports.ts";
import { SendSession } from "../../../src/blit/send/send-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import type { PassPurpose, SessionOptions, SourceReport } from "../../../src/blit/session/types.ts";
import { fileOutcome, frameFlag, needKind } from "../../../src/blit/wire/frame.ts";
import { createSendWorker } from "../../../src/workers.ts";
import { FrameTarget, type SeenEntry, type Want } from "../../support/frame-target.ts";
import { tcpPair } from "../../support/socket-pair.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

const plain: SessionOptions = {
  command: "copy",
  comparison: "time",
  ignoreExisting: false,
  update: false,
  xattrs: true,
  owner: true,
  specials: false,
  filter: undefined,
  backupDir: undefined,
  allowEmptySource: false,
  bytesPerSecond: 0,
  compress: false,
};

const whole: Want = { kind: needKind.whole };
const isFile = ({ mode }: SeenEntry): boolean => (mode & 0o170000) === 0o100000;
const isLinked = ({ bits }: SeenEntry): boolean => (bits & 4) !== 0;
const everything = (entry: SeenEntry): Want | undefined =>
  isFile(entry) && !isLinked(entry) ? whole : undefined;

let work: Workspace;
let sessions: SendSession[];
let targets: FrameTarget[];
beforeEach(() => {
  work = createWorkspace();
  ports.createSendWorker = createSendWorker;
  sessions = [];
  targets = [];
});
afterEach(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  for (const target of targets) target.socket.close();
  work[Symbol.dispose]();
});

async function open(
  sources: readonly string[],
  options: Partial<SessionOptions> = {},
  streams = 1,
): Promise<SendSession> {
  const request = { options: { ...plain, ...options }, base: freeBase, sources, streams };
  const session = await SendSession.open(request);
  sessions.push(session);
  for (let index = 0; index < streams; index++) {
    const { left, right } = tcpPair();
    session.addStream({ index, fd: left, keys: undefined, stallMs: 30_000 });
    targets.push(new FrameTarget({ index, fd: right, keys: undefined, stallMs: 30_000 }));
  }
  return session;
}

async function pass(
  session: SendSession,
  wants: (entry: SeenEntry) => Want | undefined = everything,
  purpose: PassPurpose = "transfer",
): Promise<SourceReport> {
  const received = targets.map((target) => target.pass(wants));
  const [report] = await Promise.all([session.runPass(purpose), ...received]);
  return report;
}

/** Everything that all streams brought. */
function contents(): Map<string, Buffer> {
  return new Map(targets.flatMap((target) => [...target.contents]));
}

function paths(): string[] {
  return targets.flatMap((target) => target.entries.map((entry) => entry.path)).sort();
}

describe("a pass", () => {
  test("sends small files in packs, large ones by themselves, others as entries", async () => {
    work.write("tree/a", "one");
    work.write("tree/empty", "");
    work.write("tree/deep/er/b", "two");
    const large = randomBytes(3_000_000);
    work.write("tree/large", large);
    symlinkSync("../nowhere", work.at("tree/link"));
    const session = await open([work.at("tree/")]);
    const report = await pass(session);
    expect(report.issues).toEqual([]);
    expect(contents().get("0:a")?.toString()).toBe("one");
    expect(contents().get("0:empty")?.length).toBe(0);
    expect(contents().get("0:deep/er/b")?.toString()).toBe("two");
    expect(contents().get("0:large")?.equals(large)).toBe(true);
    const [target] = targets;
    expect(target?.entries.find((entry) => entry.path === "link")?.to).toBe("../nowhere");
    expect(paths()).toEqual(["a", "deep", "deep/er", "deep/er/b", "empty", "large", "link"]);
    expect(report.counts[counter.seen]).toBe(5);
    expect(report.counts[counter.itemsDone]).toBe(5);
    expect(report.counts[counter.bytesDone]).toBe(large.length + 6);
    expect(session.progress().isFinal).toBe(true);
  });

  test("sends nothing of what the target does not want", async () => {
    work.write("tree/a", "one");
    const session = await open([work.at("tree/")]);
    const report = await pass(session, () => undefined);
    expect(contents().size).toBe(0);
    expect(report.counts[counter.bytesDone]).toBe(3);
  });

  test("shares folders between streams, each folder whole on one", async () => {
    for (let i = 0; i < 300; i++) work.write(`tree/f${i % 30}/d${i}/file`, `content ${i}`);
    const session = await open([work.at("tree/")], {}, 3);
    const report = await pass(session);
    expect(report.issues).toEqual([]);
    expect(contents().size).toBe(300);
    for (let i = 0; i < 300; i++) {
      expect(
        contents()
          .get(`0:f${i % 30}/d${i}/file`)
          ?.toString(),
      ).toBe(`content ${i}`);
    }
  });

  test("can follow another one on the same streams", async () => {
    work.write("tree/a", "one");
    const session = await open([work.at("tree/")], {}, 2);
    await pass(session, () => undefined, "count");
    expect(targets[0]?.purpose).toBe(3);
    const report = await pass(session);
    expect(contents().get("0:a")?.toString()).toBe("one");
    expect(report.counts[counter.seen]).toBe(1);
  });

  test("a folder of very many entries comes in several frames", async () => {
    mkdirSync(work.at("tree"));
    for (let i = 0; i < 6000; i++) writeFileSync(work.at("tree", `file-${i}`), "");
    const session = await open([work.at("tree/")]);
    const report = await pass(session);
    expect(contents().size).toBe(6000);
    expect(report.counts[counter.itemsDone]).toBe(6000);
    const flags = targets[0]?.flags ?? [];
    expect(flags.length).toBeGreaterThan(2);
    expect(flags.slice(0, -1).every((flag) => (flag & frameFlag.more) !== 0)).toBe(true);
    expect((flags.at(-1) ?? 1) & frameFlag.more).toBe(0);
  });

  test("names of one file come together at the end", async () => {
    work.write("tree/one/a", "linked");
    mkdirSync(work.at("tree/two"));
    linkSync(work.at("tree/one/a"), work.at("tree/two/b"));
    const session = await open([work.at("tree/")], {}, 2);
    const report = await pass(session);
    expect(report.issues).toEqual([]);
    const groups = targets.flatMap((target) => target.links);
    expect(groups.map((group) => group.toSorted())).toEqual([["0:one/a", "0:two/b"]]);
    const [first = ""] = groups[0] ?? [];
    expect(contents().get(first)?.toString()).toBe("linked");
    expect(report.counts[counter.bytesDone]).toBe(12);
  });

  test("a file alone, in the folder that holds it", async () => {
    work.write("tree/a", "one");
    work.write("tree/other", "not sent");
    const session = await open([work.at("tree/a")]);
    expect(session.roots).toMatchObject([{ kind: "entry", name: "a", isContents: false }]);
    await pass(session);
    expect([...contents().values()].map(String)).toEqual(["one"]);
    expect(paths()).toEqual(["a"]);
    expect((targets[0]?.flags[0] ?? 0) & frameFlag.holder).toBe(frameFlag.holder);
  });

  test("leaves out what the filter excludes and what interrupted runs left", async () => {
    work.write("tree/keep", "1");
    work.write("tree/drop.log", "2");
    work.write("tree/.blit-partial-abc~", "3");
    work.write("tree/sub/drop.log", "4");
    const { compileFilter } = await import("../../../src/blit/tree/filter.ts");
    const rules = [{ kind: "exclude" as const, pattern: "*.log", origin: "--exclude" }];
    const filter = compileFilter({ rules })?.serialise();
    const report = await pass(await open([work.at("tree/")], { filter }));
    expect(paths()).toEqual(["keep", "sub"]);
    expect(report.issues).toMatchObject([{ kind: "skipped", code: "E_LEFTOVER" }]);
  });

  test("several sources that can meet are sent in their order", async () => {
    work.write("one/same", "first");
    work.write("two/same", "second");
    const session = await open([work.at("one/"), work.at("two/")], {}, 2);
    await pass(session);
    const [first] = targets;
    expect(first?.entries.map(({ root, path }) => `${root}:${path}`)).toEqual(["0:same", "1:same"]);
    expect(targets[1]?.entries).toEqual([]);
  });

  test("the empty source of a mirror is marked, so that nothing is deleted for it", async () => {
    mkdirSync(work.at("empty"));
    const session = await open([work.at("empty/")], { command: "mirror" });
    expect(session.emptyRoots).toHaveLength(1);
    await pass(session);
    expect((targets[0]?.flags[0] ?? 0) & frameFlag.incomplete).toBe(frameFlag.incomplete);
  });
});

describe("what goes wrong", () => {
  test("a file that is gone when it is wanted is vanished; the rest comes", async () => {
    work.write("tree/a", "one");
    work.write("tree/b", "two");
    const { unlinkSync } = await import("node:fs");
    const report = await pass(await open([work.at("tree/")]), (entry) => {
      if (entry.path === "a") unlinkSync(work.at("tree/a"));
      return everything(entry);
    });
    expect(targets[0]?.outcomes.get("0:a")).toBe(fileOutcome.vanished);
    expect(contents().get("0:b")?.toString()).toBe("two");
    expect(report.issues).toMatchObject([{ kind: "vanished", path: "a" }]);
  });

  test("a file that is another one by now comes with its new status", async () => {
    work.write("tree/a", "one");
    await pass(await open([work.at("tree/")]), (entry) => {
      writeFileSync(work.at("tree/a"), "longer than it was");
      return everything(entry);
    });
    expect(targets[0]?.outcomes.get("0:a")).toBe(fileOutcome.restated);
    expect(contents().get("0:a")?.toString()).toBe("longer than it was");
  });

  test("a source that is not there", async () => {
    const opened = open([work.at("nothing")]);
    await opened.catch(() => undefined);
    expect(opened).rejects.toMatchObject({ code: "E_NOT_FOUND" });
  });

  test("a target that asks for what was not offered is refused", async () => {
    work.write("tree/a", "one");
    const session = await open([work.at("tree/")]);
    const run = session.runPass("transfer");
    const failed = run.catch((error: unknown) => error);
    const [target] = targets;
    while (target?.folders.size === 0) {
      while (!target.socket.hasInput()) await Bun.sleep(1);
      target.frame(() => ({ kind: needKind.whole }));
      for (const id of target.folders.keys()) target.need(id, [{ index: 9, ...whole }], false);
    }
    expect(await failed).toMatchObject({ code: "E_INTEGRITY" });
  });

  test("a target that goes away ends the pass", async () => {
    work.write("tree/a", "one");
    const session = await open([work.at("tree/")]);
    targets[0]?.socket.close();
    const failed = await session.runPass("transfer").catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "E_NETWORK" });
  });

  test("a cancelled pass ends without the target's help", async () => {
    work.write("tree/a", "one");
    const session = await open([work.at("tree/")]);
    const run = session.runPass("transfer");
    session.cancel(1);
    expect((await run).cancelled).toBe(1);
  });
});

describe("the end of a move", () => {
  test("removes what has arrived and the folders that are empty then", async () => {
    work.write("tree/a", "one");
    work.write("tree/sub/b", "two");
    work.write("tree/stays/c", "three");
    const session = await open([work.at("tree")], { command: "move" });
    await pass(session);
    const arrived = (entry: SeenEntry): Want | undefined =>
      isFile(entry) && entry.path !== "stays/c" ? { kind: needKind.arrived } : undefined;
    const report = await pass(session, arrived, "settle");
    expect(report.issues).toEqual([]);
    expect(report.counts[counter.moved]).toBe(2);
    expect(readdirSync(work.at("tree"))).toEqual(["stays"]);
    await pass(
      session,
      (entry) => (isFile(entry) ? { kind: needKind.arrived } : undefined),
      "settle",
    );
    expect(readdirSync(work.path)).toEqual([]);
  });

  test("leaves a file that changed meanwhile", async () => {
    work.write("tree/a", "one");
    const session = await open([work.at("tree/")], { command: "move" });
    const report = await pass(
      session,
      () => {
        writeFileSync(work.at("tree/a"), "other");
        return { kind: needKind.arrived };
      },
      "settle",
    );
    expect(report.issues).toMatchObject([{ kind: "failed", code: "E_NOT_MOVED" }]);
    expect(readFileSync(join(work.at("tree"), "a"), "utf8")).toBe("other");
  });
});
