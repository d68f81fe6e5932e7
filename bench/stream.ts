/**
 * One stream of blit over loopback beside the C program with sendfile and splice, two processes
 * each: `bun run bench/stream.ts [FOLDER] [ROUNDS]`. FOLDER is best a tmpfs.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sys } from "../ffi/sys.ts";
import { tcpPair } from "../test/support/socket-pair.ts";

const [parent = "/dev/shm", rounds = "5"] = process.argv.slice(2);
const bytes = Number(process.env["STREAM_BYTES"] ?? 1024 ** 3);
const pieceBytes = 16 * 1024 ** 2;

type Measured = { seconds: number; user: number; system: number };

/** The sender's clock stops at the receiver's answer, so it covers both. */
async function stream(kind: string, source: string, target: string): Promise<Measured> {
  const { left, right } = tcpPair();
  const side = (name: string, fd: number, path: string): Bun.Subprocess<"ignore", "pipe"> =>
    Bun.spawn(
      [process.execPath, join(import.meta.dir, "stream-side.ts"), name, kind, "3", path].concat(
        `${bytes}`,
        `${pieceBytes}`,
      ),
      { stdio: ["ignore", "pipe", "inherit", fd], stdin: "ignore" },
    );
  const receiver = side("receive", right, target);
  const sender = side("send", left, source);
  sys.close(left);
  sys.close(right);
  const results = await Promise.all(
    [sender, receiver].map(async (child): Promise<Measured> => {
      const text = await new Response(child.stdout).text();
      return JSON.parse(text);
    }),
  );
  const [first, second] = results as [Measured, Measured];
  const sum = (key: "user" | "system"): number => first[key] + second[key];
  return { seconds: first.seconds, user: sum("user"), system: sum("system") };
}

async function reference(program: string, source: string, target: string): Promise<Measured> {
  const start = performance.now();
  const child = Bun.spawn([program, source, target], { stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error("The reference has failed");
  const seconds = (performance.now() - start) / 1000;
  const usage = child.resourceUsage();
  const cpu = (time: number | bigint = 0): number => Number(time) / 1e6;
  return { seconds, user: cpu(usage?.cpuTime.user), system: cpu(usage?.cpuTime.system) };
}

const folder = mkdtempSync(join(parent, "blit-stream-"));
try {
  const source = join(folder, "source");
  const chunk = crypto.getRandomValues(new Uint8Array(65_536));
  const content = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += chunk.length) content.set(chunk, i);
  writeFileSync(source, content);
  const program = join(folder, "reference");
  const code = join(import.meta.dir, "remote/reference.c");
  if (!Bun.spawnSync(["cc", "-O2", "-o", program, code]).success) throw new Error("cc has failed");
  for (let round = 0; round < Number(rounds); round++) {
    for (const kind of ["reference", "plain", "sealed"]) {
      const target = join(folder, "target");
      const measured =
        kind === "reference"
          ? await reference(program, source, target)
          : await stream(kind, source, target);
      const same = Bun.spawnSync(["cmp", source, target]).success;
      rmSync(target);
      const { seconds, user, system } = measured;
      const speed = Math.round(bytes / seconds / 1024 ** 2);
      console.log(
        `${kind.padEnd(10)}${speed} MiB/s, ${seconds.toFixed(3)} s, cpu ${user.toFixed(2)} +` +
          ` ${system.toFixed(2)}${same ? "" : ", CONTENT DIFFERS"}`,
      );
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
