/** The one place where code of other people is started: a sandbox for builds will go here. */
import { constants } from "node:os";

/** What is run. */
export interface BuildProcess {
  /** An absolute path, and the arguments. */
  readonly command: readonly string[];
  readonly folder: string;
  /** All of it: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the process and its children print; both streams, in their order. */
  readonly onOutput: (bytes: Uint8Array) => void;
}

/** How it ended. */
export interface BuildExit {
  readonly exitCode: number | undefined;
  /** `SIGKILL`: what ended it, if it did not end by itself. */
  readonly signal: string | undefined;
}

/** How long output of a process that has ended is waited for: its children may go on. */
const DRAIN_MS = 500;

/**
 * Runs a program of a build in a process group of its own. No time limit: builds may take hours.
 * Whatever is left of the group when the program has ended, or when we are interrupted, is killed.
 *
 * @throws node:fs errors when the program cannot be started
 */
export async function runBuildProcess(options: BuildProcess): Promise<BuildExit> {
  // Before it starts: a signal that comes while it does must find us ready.
  running.begin();
  let pid: number | undefined;
  try {
    const child = Bun.spawn([...options.command], {
      cwd: options.folder,
      env: { ...options.environment },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
    pid = child.pid;
    running.add(pid);
    const output = Promise.all([
      forward(child.stdout, options.onOutput),
      forward(child.stderr, options.onOutput),
    ]);
    const code = await child.exited;
    // A child that goes on holds the output open.
    await Promise.race([output, Bun.sleep(DRAIN_MS)]);
    killGroup(child.pid);
    await output;
    const signal = child.signalCode === null ? undefined : String(child.signalCode);
    return { exitCode: signal === undefined ? code : undefined, signal };
  } finally {
    if (pid !== undefined) killGroup(pid);
    running.end(pid);
  }
}

async function forward(
  stream: ReadableStream<Uint8Array>,
  onOutput: (bytes: Uint8Array) => void,
): Promise<void> {
  for await (const chunk of stream) onOutput(chunk);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ends the groups of all running builds when this process is told to end. */
class RunningBuilds {
  readonly #pids = new Set<number>();
  #count = 0;
  readonly #cleaners = new Set<() => void>();
  /** A build that nobody waits for any more, as what needed it has failed, ends with us. */
  readonly #onExit = (): void => {
    for (const pid of this.#pids) killGroup(pid);
  };
  readonly #onSignal = (signal: NodeJS.Signals): void => {
    this.#onExit();
    for (const clean of this.#cleaners) clean();
    this.#listen(false);
    // As it would have ended without us.
    process.kill(process.pid, signal);
  };

  begin(): void {
    if (this.#count === 0) this.#listen(true);
    this.#count += 1;
  }

  add(pid: number): void {
    this.#pids.add(pid);
  }

  end(pid: number | undefined): void {
    if (pid !== undefined) this.#pids.delete(pid);
    this.#count -= 1;
    if (this.#count === 0) this.#listen(false);
  }

  /** Called when a signal ends us while a build runs. */
  onInterrupt(clean: () => void): void {
    this.#cleaners.add(clean);
  }

  #listen(isOn: boolean): void {
    if (isOn) process.on("exit", this.#onExit);
    else process.off("exit", this.#onExit);
    for (const signal of SIGNALS) {
      if (constants.signals[signal] === undefined) continue;
      if (isOn) process.on(signal, this.#onSignal);
      else process.off(signal, this.#onSignal);
    }
  }
}

const running = new RunningBuilds();

/** Adds something to do when a signal ends this process in the middle of a build. */
export function onBuildInterrupt(clean: () => void): void {
  running.onInterrupt(clean);
}
