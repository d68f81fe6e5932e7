import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { O } from "../../../ffi/abi/constants.ts";
import { LANDLOCK, SYS } from "../../../ffi/abi/landlock.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import type { ConfinedAnswer, ConfinedRequest } from "../../support/confined.worker.ts";
import { needsRoot, testUnless } from "../../support/skip.ts";
import { openFile } from "../../support/socket-pair.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

function landlockVersion(): number {
  const { CREATE_RULESET_VERSION } = LANDLOCK;
  return sys.syscall(SYS.landlock_create_ruleset, 0, 0, CREATE_RULESET_VERSION, 0, 0, 0);
}
const needsLandlock = landlockVersion() >= 2 ? undefined : "needs Landlock";

async function confined(request: ConfinedRequest): Promise<ConfinedAnswer> {
  const worker = new Worker(new URL("../../support/confined.worker.ts", import.meta.url));
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<ConfinedAnswer>) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}

function world(work: Workspace): { root: string; secret: string } {
  const secret = work.write("secret", "s");
  mkdirSync(work.at("module/folder"), { recursive: true });
  chmodSync(work.path, 0o755);
  return { root: work.at("module"), secret };
}

const nobody = 65_534;
const CONFINE = new URL("../../../src/blit/daemon/confine.ts", import.meta.url).pathname;

testUnless(needsLandlock)("a confined thread uses its folder and nothing else", async () => {
  using work = createWorkspace();
  const { root, secret } = world(work);
  const rootFd = openFile(root, O.PATH | O.DIRECTORY);
  const answer = await confined({
    confinement: { rootFd, chroot: false },
    outside: [secret, "/etc/passwd"],
    file: "new",
    folder: "folder",
  });
  expect(answer).toEqual({
    done: ["landlock"],
    outside: [-errno.EACCES, -errno.EACCES],
    made: 0,
    renamed: 0,
    read: 0,
    removed: 0,
  });
  // This thread is as free as before.
  expect(readFileSync(secret, "latin1")).toBe("s");
  expect(readFileSync("/etc/passwd").length).toBeGreaterThan(0);
  sys.close(rootFd);
});

testUnless(needsRoot())("a confined thread works as the user that it is given", async () => {
  using work = createWorkspace();
  const { root } = world(work);
  chmodSync(root, 0o755);
  const closed = work.write("closed", "x", { mode: 0o600 });
  const rootFd = openFile(root, O.PATH | O.DIRECTORY);
  const answer = await confined({
    confinement: { rootFd, chroot: true, uid: nobody, gid: nobody },
    outside: [closed],
    file: "new",
    folder: "folder",
  });
  expect(answer.done.slice(-2)).toEqual([`group ${nobody}`, `user ${nobody}`]);
  expect(answer.made).toBe(-errno.EACCES);
  expect(answer.outside[0]).toBeLessThan(0);
  expect(process.getuid?.()).toBe(0);
  expect(readFileSync(closed, "latin1")).toBe("x");
  sys.close(rootFd);
});

test("without the right to it a change of user is refused aloud", () => {
  const becomesNobody = `process.setgid(${nobody}); process.setuid(${nobody});`;
  const script = `
    const { confineThread } = await import(${JSON.stringify(CONFINE)});
    ${process.getuid?.() === 0 ? becomesNobody : ""}
    try { confineThread({ rootFd: -1, chroot: true, uid: 1, gid: 1 }); console.log("done"); }
    catch (error) { console.log(error.code + " " + error.message); }`;
  const child = Bun.spawnSync([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
  expect(child.stderr.toString()).toBe("");
  expect(child.stdout.toString()).toBe(
    "E_PRIVILEGE Cannot have a thread give up its groups: operation not permitted\n",
  );
});

testUnless(needsRoot())("where the kernel has no Landlock, chroot of this thread does it", () => {
  using work = createWorkspace();
  const { root, secret } = world(work);
  const worker = new URL("../../support/confined.worker.ts", import.meta.url).pathname;
  const pair = new URL("../../support/socket-pair.ts", import.meta.url).pathname;
  const script = `
    const { openFile } = await import(${JSON.stringify(pair)});
    const rootFd = openFile(${JSON.stringify(root)}, ${O.PATH | O.DIRECTORY});
    const worker = new Worker(${JSON.stringify(worker)});
    worker.onmessage = ({ data }) => {
      const here = require("node:fs").readFileSync(${JSON.stringify(secret)}, "latin1");
      console.log(JSON.stringify({ ...data, here, cwd: process.cwd() }));
      process.exit();
    };
    worker.postMessage({
      confinement: { rootFd, chroot: true },
      outside: [${JSON.stringify(secret)}, "/folder/../../secret"],
      file: "new", folder: "folder",
    });`;
  const child = Bun.spawnSync([process.execPath, "-e", script], {
    cwd: "/usr",
    env: { ...process.env, TRIAD_FAULTS: "syscall:ENOSYS@1" },
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(child.stderr.toString()).toBe("");
  expect(JSON.parse(child.stdout.toString())).toEqual({
    done: ["chroot"],
    outside: [-errno.ENOENT, -errno.ENOENT],
    made: 0,
    renamed: 0,
    read: 0,
    removed: 0,
    here: "s",
    cwd: "/usr",
  });
});
