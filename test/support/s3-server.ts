import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/** A server that is compatible with S3 (moto of the Python tools), which checks who signs. */
export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
}

const PROGRAM = resolve(import.meta.dir, "../../.tools/python/bin/moto_server");

/** A reason when bin/test could not install moto. */
export function needsS3Server(): string | undefined {
  return existsSync(PROGRAM) ? undefined : "needs .tools/python with moto, which bin/test installs";
}

/** Starts a server of its own with an empty bucket. */
export async function startS3Server(bucket: string): Promise<S3Server> {
  const child = Bun.spawn([PROGRAM, "-H", "127.0.0.1", "-p", "0"], {
    cwd: join(PROGRAM, "../.."),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
    env: { PATH: process.env["PATH"] ?? "", NO_PROXY: "127.0.0.1" },
  });
  const end = async (): Promise<void> => {
    child.kill();
    await child.exited;
  };
  try {
    const endpoint = await addressOf(child.stderr);
    const made = await fetch(`${endpoint}/${bucket}`, { method: "PUT" });
    if (!made.ok) throw new Error(`moto makes no bucket: ${made.status}`);
    return { endpoint, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function addressOf(output: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of output) {
    text += decoder.decode(bytes);
    const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(text)?.[1];
    if (found !== undefined) {
      // What it says from now on is nobody's business, and must not stop it.
      void drain(output);
      return found;
    }
  }
  throw new Error(`moto does not start:\n${text}`);
}

async function drain(output: ReadableStream<Uint8Array>): Promise<void> {
  try {
    for await (const _ of output);
  } catch {
    // It has ended.
  }
}
