/** Threads of a daemon that serve one session after the other, and take nothing along. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { dialData, openHostile, passFrame } from "../../support/hostile-client.ts";
import { memoryMib, type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { startBlit } from "../../support/running-blit.ts";
import { needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

/** Content that lies in no other file, and in no other process's memory but a daemon's. */
const mark = randomBytes(24).toString("hex");

let work: Workspace;
let daemon: NetDaemon;

beforeAll(async () => {
  work = createWorkspace();
  for (const name of ["m", "other"]) {
    for (let file = 0; file < 60; file++) {
      work.write(`${name}/s/a${file % 3}/${name}${file}`, `${name} ${file} ${randomBytes(900)}`);
    }
    work.write(`${name}/s/large`, randomBytes(3 * 1024 * 1024));
  }
  work.write("marked/file", mark.repeat(40));
  work.write("chroot/s/file", "in a root of its own");
  const modules = ["m", "other", "chroot"].flatMap((name) => {
    const lines = ["[[module]]", `name = "${name}"`, `path = "${work.at(name)}"`];
    return name === "chroot" ? [...lines, "use_chroot = true"] : lines;
  });
  daemon = await startNetDaemon({ folder: work.at("daemon"), rest: modules });
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  work[Symbol.dispose]();
});

/** Threads of the daemon that run JavaScript beside the main one. */
function threads(): string[] {
  const folder = `/proc/${daemon.pid}/task`;
  return readdirSync(folder).filter((thread) => {
    try {
      return readFileSync(`${folder}/${thread}/comm`, "utf8") === "Worker\n";
    } catch {
      return false; // Ended meanwhile.
    }
  });
}

function descriptors(): number {
  return readdirSync(`/proc/${daemon.pid}/fd`).length;
}

/** Well before the daemon ends threads that only wait. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let n = 0; n < 600 && !isTrue(); n++) await Bun.sleep(25);
  expect(isTrue()).toBe(true);
}

async function copy(from: string, to: string): Promise<void> {
  const run = await runBlit(["copy", "--yes", from, to]);
  expect(run.code, run.stderr).toBe(0);
}

const pull = (module: string, to: string) => copy(`${daemon.at}/${module}/s/`, work.at(`${to}/`));
const push = (module: string, to: string) =>
  copy(work.at(`${module}/s/`), `${daemon.at}/${module}/${to}/`);

/** Sessions of both kinds, so that there are threads that wait. */
async function warmUp(): Promise<string[]> {
  await push("m", "t");
  await pull("m", "pulled");
  const kept = threads();
  expect(kept.length).toBeGreaterThan(1);
  return kept;
}

/** Waits until no thread is there that was not before. */
async function untilNoOther(before: readonly string[]): Promise<void> {
  await until(() => threads().every((thread) => before.includes(thread)));
}

/** Paths below a folder, and a hash of what each file holds. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((file) => `${file.parentPath}/${file.name}`).sort();
  const hash = (path: string): string => Bun.hash(readFileSync(path)).toString(16);
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length), hash(path)]));
}

test("a session is served by the threads of the one before, whatever its module", async () => {
  const kept = await warmUp();
  for (const module of ["other", "m", "other"]) {
    await push(module, "again");
    await pull(module, `again-${module}`);
  }
  expect(kept).toEqual(expect.arrayContaining(threads()));
});

test("a session that breaks the protocol takes its thread along", async () => {
  const kept = await warmUp();
  {
    await using session = await openHostile(daemon);
    const stream = dialData(daemon, session.tokens[0] ?? new Uint8Array());
    expect(await stream.answer).toBe(0);
    session.startPass(1);
    await stream.send(passFrame(), Buffer.alloc(64, 0xff));
    expect(await session.outcome).toBe("E_INTEGRITY");
    stream.socket.destroy();
  }
  await until(() => threads().length < kept.length);
  expect(kept).toEqual(expect.arrayContaining(threads()));
});

test.each(["pull", "push"])("a %s that is cut off takes its threads along", async (verb) => {
  const kept = await warmUp();
  const [remote, local] = [`${daemon.at}/m/${verb}/`, work.at("m/s/")];
  const words = verb === "push" ? [local, remote] : [`${daemon.at}/m/s/`, work.at("cut/")];
  const running = await startBlit(["copy", "--yes", "--bwlimit", "300K", ...words]);
  // Its threads are at work when there is something on its way.
  await until(() => hasBegun(verb));
  running.process.kill("SIGKILL");
  await running.process.exited;
  await until(() => threads().length <= kept.length - 2);
  expect(kept).toEqual(expect.arrayContaining(threads()));
});

/** Whether something is under way below the target. */
function hasBegun(verb: string): boolean {
  try {
    return readdirSync(work.at(verb === "push" ? "m/push" : "cut")).length > 0;
  } catch {
    return false; // Not there yet.
  }
}

testUnless(needsRoot())("threads of a module in a root of its own are new, and end", async () => {
  const kept = await warmUp();
  await pull("chroot", "from-chroot");
  await copy(work.at("m/s/"), `${daemon.at}/chroot/t/`);
  await untilNoOther(kept);
  // Nor do those that are left lack what the others have given up.
  await push("other", "after");
  await pull("other", "after-other");
  await untilNoOther(kept);
  expect(contents(work.at("after-other"))).toEqual(contents(work.at("other/s")));
});

test("no content is left in the memory of threads that wait", async () => {
  await copy(work.at("marked/"), `${daemon.at}/m/marked/`);
  await copy(`${daemon.at}/m/marked/`, work.at("unmarked/"));
  expect(threads().length).toBeGreaterThan(0);
  expect(occurrences(daemon.pid, mark)).toBe(0);
});

/** How often a text lies in the memory of a process that can be written. */
function occurrences(pid: number, text: string): number {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const needle = Buffer.from(text);
  let found = 0;
  let from = 0;
  let to = 0;
  for (const line of readFileSync(`/proc/${pid}/smaps`, "utf8").split("\n")) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) (....)/.exec(line);
    if (range !== null) {
      [from, to] = [Number.parseInt(range[1] ?? "", 16), Number.parseInt(range[2] ?? "", 16)];
      // The engine's own heaps are gigabytes of address space.
      if (range[3]?.startsWith("rw") !== true || to - from > 2 ** 30) to = from;
    }
    // What was never touched is not read: it would be gigabytes of zeros.
    if (!/^Rss: +[1-9]/.test(line)) continue;
    for (let at = from; at < to; at += piece.length) {
      const length = readAt(memory, at, Math.min(piece.length, to - at));
      if (piece.subarray(0, length).includes(needle)) found++;
    }
  }
  closeSync(memory);
  return found;
}

const piece = Buffer.alloc(16 * 1024 * 1024);

function readAt(memory: number, at: number, length: number): number {
  try {
    return readSync(memory, piece, 0, length, at);
  } catch {
    return 0; // It was there when it was listed.
  }
}

test("two modules in turn, broken sessions in between: nothing is mixed or left", async () => {
  const random = randomNumbers(7);
  await warmUp();
  const [before, size] = [descriptors(), memoryMib(daemon.pid, "VmSize")];
  for (let round = 0; round < 24; round++) {
    const module = random(2) === 0 ? "m" : "other";
    const what = random(4);
    if (what === 0) await push(module, `pushed${round % 3}`);
    if (what === 1) await pull(module, `of-${module}`);
    if (what < 2) continue;
    const remote = `${daemon.at}/${module}/s/`;
    const words = what === 2 ? [remote, work.at(`cut${round}/`)] : [work.at("m/s/"), remote];
    const run = await startBlit(["copy", "--dry-run", "--bwlimit", "2M", ...words]);
    await Promise.race([run.process.exited, Bun.sleep(random(200))]);
    run.process.kill(random(2) === 0 ? "SIGKILL" : "SIGINT");
    await run.process.exited;
  }
  for (const module of ["m", "other"]) {
    await push(module, "last");
    await pull(module, `of-${module}`);
    const source = contents(work.at(`${module}/s`));
    expect(contents(work.at(`of-${module}`))).toEqual(source);
    expect(contents(work.at(`${module}/last`))).toEqual(source);
  }
  await until(() => descriptors() <= before + 2 * threads().length);
  // Dozens of threads were there, each of which maps a hundred MiB or more.
  await until(() => memoryMib(daemon.pid, "VmSize") - size < 300 + 150 * threads().length);
});

function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}
