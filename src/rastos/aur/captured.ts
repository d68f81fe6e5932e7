import { Fault } from "../../kit/fault/fault.ts";
import { formatBytes } from "../../kit/text/format.ts";

/** What a program has said, and how it ended. */
export interface Captured {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** No PKGBUILD, and no change of one that somebody could read, comes near. */
const BYTES_MAX = 32 * 1024 * 1024;

/**
 * Runs a program to its end and keeps what it prints. Nothing of our environment goes along.
 *
 * @throws {Fault} E_REFUSED where it prints more than anybody could look at
 */
export async function captured(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Captured> {
  const child = Bun.spawn([...command], {
    cwd: "/",
    env: { ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    readAll(child),
    child.stderr.text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}

async function readAll(child: Bun.Subprocess<"ignore", "pipe", "pipe">): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of child.stdout) {
    bytes += chunk.length;
    if (bytes > BYTES_MAX) {
      child.kill("SIGKILL");
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot read what a package base holds: it is more than ${formatBytes(BYTES_MAX)}`,
        hint: "nobody could review that",
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
