import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { binaryPath, toolEnvironment } from "./binary.ts";

/** A run of the compiled `blit` that is under way. */
export interface RunningBlit {
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** Waits until the condition holds; fails where the run ends first. */
  until(condition: () => boolean): Promise<void>;
  /** Waits for the end. `signal` is "" unless a signal ended it. */
  ended(): Promise<{ code: number | null; signal: string; stdout: string; stderr: string }>;
}

const pollMs = 2;
const letGoMs = 30_000;

/**
 * Starts the compiled `blit`, with faults that slow it down where `TRIAD_FAULTS` is in `env`.
 * @param program in its place, such as one that starts it elsewhere
 */
export async function startBlit(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program?: string,
): Promise<RunningBlit> {
  const child = Bun.spawn([program ?? (await binaryPath("blit")), ...args], {
    env: toolEnvironment(env),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()] as const;
  return {
    process: child,
    async until(condition) {
      while (!condition()) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`The run ended too early: ${await texts[1]}`);
        }
        await Bun.sleep(pollMs);
      }
    },
    async ended() {
      await child.exited;
      const [stdout, stderr] = await Promise.all(texts);
      return { code: child.exitCode, signal: `${child.signalCode ?? ""}`, stdout, stderr };
    },
  };
}

/** Whether a process has a file open whose path matches. */
export function hasOpen(pid: number, pattern: RegExp): boolean {
  const folder = `/proc/${pid}/fd`;
  if (!existsSync(folder)) return false;
  return readdirSync(folder).some((fd) => {
    try {
      return pattern.test(readlinkSync(`${folder}/${fd}`));
    } catch {
      return false;
    }
  });
}

/**
 * Waits until a process has nothing open below a folder: a daemon whose client has gone is at work
 * there for a while.
 */
export async function untilLetGo(pid: number, folder: string): Promise<void> {
  const below = new RegExp(`^${RegExp.escape(folder)}(/|$)`);
  for (let waited = 0; hasOpen(pid, below); waited += pollMs) {
    if (waited > letGoMs) throw new Error(`Process ${pid} still has something open in ${folder}`);
    await Bun.sleep(pollMs);
  }
}

/** Whether there is a temporary name of blit somewhere below a folder that is being worked on. */
export function hasTemporary(folder: string): boolean {
  try {
    return readdirSync(folder, { withFileTypes: true }).some(
      (entry) =>
        entry.name.startsWith(".blit-") ||
        (entry.isDirectory() && hasTemporary(join(folder, entry.name))),
    );
  } catch {
    // Not there yet, or renamed just now.
    return false;
  }
}
