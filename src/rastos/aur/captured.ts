/** What a program has said, and how it ended. */
export interface Captured {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/**
 * Runs a program to its end and keeps what it prints. Nothing of our environment goes along.
 *
 * @throws node:fs errors when it cannot be started
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
    new Response(child.stdout).arrayBuffer(),
    child.stderr.text(),
    child.exited,
  ]);
  return { exitCode, stdout: Buffer.from(stdout), stderr };
}
