import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SOCKET } from "../../../ffi/abi/socket.ts";
import { Memory } from "../../../ffi/mem.ts";
import { check, sys } from "../../../ffi/sys.ts";
import { socketAddress } from "../../../src/blit/remote/socket-address.ts";
import { binaryPath, runTool, toolEnvironment } from "../../support/binary.ts";
import { startBlitd } from "../../support/blitd.ts";
import { startBlit } from "../../support/running-blit.ts";

let folder: string;
let module: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "blitd-life-"));
  module = join(folder, "module");
  mkdirSync(module);
  writeFileSync(join(module, "small"), "content\n");
  writeFileSync(join(module, "large"), Buffer.alloc(8 * 1024 * 1024, 7));
  await binaryPath("blitd");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("start", () => {
  test("what is wrong with the config is told, and nothing listens", async () => {
    const config = join(folder, "wrong.toml");
    writeFileSync(config, "[daemon]\nprot = 1\n");
    const run = await runTool("blitd", ["--config", config]);
    expect([run.code, run.stdout]).toEqual([2, ""]);
    expect(run.stderr).toContain('unknown key "prot" in [daemon]');
    expect(run.stderr).toContain('did you mean "port"?');
  });

  test("a port that is taken is told with its number", async () => {
    await using first = await startBlitd();
    const args = ["--bind", "127.0.0.1", "--port", `${first.port}`, "--root", module];
    const run = await runTool("blitd", args);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`127.0.0.1 port ${first.port}: it is in use`);
  });

  test("without modules the working folder is offered, with a warning", async () => {
    await using daemon = await startBlitd({ cwd: module });
    await daemon.until(/the working folder "[^"]*\/module" is offered as server:\/\//);
    const copy = await runTool("blit", ["copy", daemon.place("", "small"), join(folder, "got")]);
    expect([copy.code, readFileSync(join(folder, "got"), "utf8")]).toEqual([0, "content\n"]);
  });

  test("--root needs no warning, and is nothing but that folder", async () => {
    await using daemon = await startBlitd({ args: ["--root", module], cwd: "/" });
    await daemon.until(/Listening on/);
    const wrong = await runTool("blit", ["copy", daemon.place("", "../x"), join(folder, "x")]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain("leads out of the module");
    expect((await daemon.stop()).log).not.toContain("warning");
  });

  test("who is open to the whole network is told so", async () => {
    await using daemon = await startBlitd({ bind: "0.0.0.0", args: ["--root", module] });
    await daemon.until(/Whoever reaches this machine may use its modules/);
  });
});

describe("SIGHUP", () => {
  test("another config holds for the next call; one that is wrong changes nothing", async () => {
    await using daemon = await startBlitd({ modules: [{ name: "one", path: module }] });
    const server = `127.0.0.1:${daemon.port}`;
    const listed = async (): Promise<string[]> => {
      const run = await runTool("blit", ["list", "--json", server]);
      return [...run.stdout.matchAll(/"name":"(\w+)"/g)].map((found) => found[1] ?? "");
    };
    expect(await listed()).toEqual(["one"]);
    daemon.reconfigure({ modules: [{ name: "two", path: module }] });
    await daemon.until(/Read the configuration again/);
    expect(await listed()).toEqual(["two"]);
    daemon.reconfigure({ daemon: ["prot = 1"] });
    await daemon.until(/The configuration stays as it was/);
    expect(daemon.log()).toContain('unknown key "prot"');
    expect(await listed()).toEqual(["two"]);
  });
});

describe("the end", () => {
  test("SIGTERM ends a daemon that does nothing, with 0", async () => {
    const daemon = await startBlitd({ modules: [{ name: "m", path: module }] });
    expect(await daemon.stop("SIGTERM")).toMatchObject({ code: 0, signal: "" });
  });

  test("SIGTERM lets a transfer end, and takes no further one", async () => {
    await using daemon = await startBlitd({ modules: [{ name: "m", path: module }] });
    const target = join(folder, "drained");
    const slow = ["copy", daemon.place("m", "large"), target, "--bwlimit", "4M"];
    const run = await startBlit(slow);
    await daemon.until(/pull of 127/);
    daemon.process.kill("SIGTERM");
    await daemon.until(/Waiting for 1 transfers/);
    const late = await runTool("blit", ["copy", daemon.place("m", "small"), `${target}-late`]);
    expect(late.code).toBe(1);
    const { code, stderr } = await run.ended();
    expect([code, stderr]).toEqual([0, expect.stringContaining("Copied 1 file")]);
    expect(readFileSync(target).equals(readFileSync(join(module, "large")))).toBe(true);
    await daemon.process.exited;
    expect(daemon.process.exitCode).toBe(0);
  }, 120_000);

  test("a transfer that is not done in time is ended, and nothing half stays", async () => {
    await using daemon = await startBlitd({
      modules: [{ name: "m", path: module }],
      daemon: ["drain_seconds = 1"],
    });
    const target = join(folder, "cut");
    const slow = ["copy", daemon.place("m", "large"), target, "--bwlimit", "100K"];
    const run = await startBlit(slow);
    await daemon.until(/pull of 127/);
    daemon.process.kill("SIGTERM");
    await daemon.until(/Ending 1 transfers/);
    const { code, stderr } = await run.ended();
    expect([code, stderr]).toEqual([1, expect.stringContaining("The daemon is shutting down")]);
    await daemon.process.exited;
    expect(daemon.process.exitCode).toBe(0);
    expect(existsSync(target)).toBe(false);
  }, 120_000);

  test("a second SIGTERM waits for nothing", async () => {
    await using daemon = await startBlitd({ modules: [{ name: "m", path: module }] });
    const slow = ["copy", daemon.place("m", "large"), join(folder, "cut2"), "--bwlimit", "100K"];
    const run = await startBlit(slow);
    await daemon.until(/pull of 127/);
    daemon.process.kill("SIGTERM");
    await daemon.until(/Waiting for 1 transfers/);
    daemon.process.kill("SIGTERM");
    await daemon.process.exited;
    expect(daemon.process.signalCode).toBe("SIGTERM");
    expect((await run.ended()).code).toBe(1);
  }, 120_000);
});

/** A socket that listens on a free port of this machine, as systemd opens them. */
function listening(): number {
  const memory = new Memory(4096);
  const address = socketAddress("127.0.0.1", 0) as Uint8Array;
  memory.bytes.set(address);
  const fd = check(
    sys.socket(SOCKET.AF_INET, SOCKET.SOCK_STREAM | SOCKET.SOCK_CLOEXEC, 0),
    "socket",
  );
  check(sys.bind(fd, memory.pointer, address.length), "bind");
  check(sys.listen(fd, 16), "listen");
  return fd;
}

test("sockets that systemd hands over are used for control and data", async () => {
  const fds = [listening(), listening()] as const;
  const script = 'LISTEN_PID=$$ exec "$0" --json --no-mdns --root "$1"';
  const child = Bun.spawn(["sh", "-c", script, await binaryPath("blitd"), module], {
    env: toolEnvironment({ LISTEN_FDS: "2" }),
    stdio: ["ignore", "pipe", "pipe", ...fds],
  });
  try {
    const reader = child.stdout.getReader();
    const line = new TextDecoder().decode((await reader.read()).value);
    const { port } = JSON.parse(line) as { port: number };
    const target = join(folder, "activated");
    const run = await runTool("blit", ["copy", `127.0.0.1:${port}://small`, target]);
    expect([run.code, run.stderr]).toEqual([0, expect.not.stringContaining("warning")]);
    expect(readFileSync(target, "utf8")).toBe("content\n");
  } finally {
    child.kill();
    await child.exited;
    for (const fd of fds) sys.close(fd);
  }
});
