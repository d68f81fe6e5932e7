import { Fault } from "../fault/fault.ts";
import { reasonOf } from "../fault/reason.ts";

/** A program that works for a while and prints lines meanwhile. */
export interface StreamedProgram {
  /** An absolute path, and the arguments. */
  readonly command: readonly string[];
  readonly folder: string;
  /** All of it: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the program and its children print, both streams, as it comes. */
  readonly onOutput: (bytes: Uint8Array) => void;
  /** For the program's standard input; nothing by default. */
  readonly input?: string;
  /** How long it may clean up after a signal before it is killed. Default 10,000. */
  readonly graceMs?: number;
}

/** How it ended. */
export interface StreamedExit {
  readonly exitCode: number | undefined;
  /** `SIGKILL`: what ended it, if it did not end by itself. */
  readonly signal: string | undefined;
}

/**
 * How long output of a program that has ended is waited for, twice: its children may hold it open,
 * and then those that left its group.
 */
const DRAIN_MS = 500;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Runs a program in a process group of its own. SIGINT and SIGTERM are handed on to the whole
 * group, which gets time to clean up (make removes what it has half written); a second signal, or
 * the end of that time, kills it. Whatever of the group is left when the program ends is killed.
 *
 * @throws {Fault} E_INTERRUPTED, E_TERMINATED; E_IO when the program cannot be started
 * @throws what `onOutput` throws first, which ends the program as SIGTERM does
 */
export async function runStreamed(program: StreamedProgram): Promise<StreamedExit> {
  const relay = new SignalRelay(program.graceMs ?? 10_000);
  try {
    const child = start(program);
    relay.watch(child.pid);
    const listener = new Listener(program.onOutput, () => relay.end("SIGTERM"));
    const output = Promise.all([forward(child.stdout, listener), forward(child.stderr, listener)]);
    const code = await child.exited;
    await Promise.race([output, Bun.sleep(DRAIN_MS)]);
    signalGroup(child.pid, "SIGKILL");
    // A daemon that it has started is in a group of its own, and may hold its output open for ever.
    await Promise.race([output, Bun.sleep(DRAIN_MS)]);
    listener.close();
    relay.throwIfReceived();
    const signal = child.signalCode === null ? undefined : String(child.signalCode);
    return { exitCode: signal === undefined ? code : undefined, signal };
  } finally {
    relay.close();
  }
}

function start(program: StreamedProgram) {
  const { command, folder, environment, input } = program;
  try {
    return Bun.spawn([...command], {
      cwd: folder,
      env: { ...environment },
      stdin: input === undefined ? "ignore" : new Blob([input]),
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
  } catch (error) {
    throw new Fault({
      code: "E_IO",
      message: `Cannot start "${command[0]}": ${reasonOf(error)}`,
    });
  }
}

async function forward(stream: ReadableStream<Uint8Array>, listener: Listener): Promise<void> {
  for await (const chunk of stream) listener.take(chunk);
}

/** Takes output until that fails or is over; what comes later is read, and dropped. */
class Listener {
  readonly #onOutput: StreamedProgram["onOutput"];
  readonly #onFailure: () => void;
  #isHeard = true;
  #failure: { readonly reason: unknown } | undefined;

  constructor(onOutput: StreamedProgram["onOutput"], onFailure: () => void) {
    this.#onOutput = onOutput;
    this.#onFailure = onFailure;
  }

  take(bytes: Uint8Array): void {
    if (!this.#isHeard) return;
    try {
      this.#onOutput(bytes);
    } catch (reason) {
      this.#isHeard = false;
      this.#failure = { reason };
      this.#onFailure();
    }
  }

  /** @throws what `onOutput` has thrown */
  close(): void {
    this.#isHeard = false;
    if (this.#failure !== undefined) throw this.#failure.reason;
  }
}

/** Hands the signals of this process on to a group, from its start to its end. */
class SignalRelay {
  readonly #graceMs: number;
  #pid: number | undefined;
  #received: (typeof SIGNALS)[number] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #handlers = SIGNALS.map((signal) => [signal, () => this.#receive(signal)] as const);

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
    // Before it starts: a signal that comes while it does must find us ready.
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  watch(pid: number): void {
    this.#pid = pid;
    if (this.#received !== undefined) this.#stop(this.#received);
  }

  /** Ends the group as if that signal had come. */
  end(signal: (typeof SIGNALS)[number]): void {
    this.#stop(signal);
  }

  throwIfReceived(): void {
    if (this.#received === undefined) return;
    throw new Fault({
      code: this.#received === "SIGINT" ? "E_INTERRUPTED" : "E_TERMINATED",
      message: "Interrupted: what was running has been stopped",
    });
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }

  #receive(signal: (typeof SIGNALS)[number]): void {
    const isSecond = this.#received !== undefined;
    this.#received = signal;
    this.#stop(isSecond ? "SIGKILL" : signal);
  }

  #stop(signal: NodeJS.Signals): void {
    const pid = this.#pid;
    if (pid === undefined) return;
    signalGroup(pid, signal);
    this.#timer ??= setTimeout(() => signalGroup(pid, "SIGKILL"), this.#graceMs);
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nothing of it is left.
  }
}
