import { readFileSync } from "node:fs";
import { connect } from "node:net";

/** How long a server may take until it accepts connections. */
const START_MS = 15_000;

/** A server that runs, and what it costs. */
export class RunningServer {
  readonly #child: Bun.Subprocess;

  constructor(child: Bun.Subprocess) {
    this.#child = child;
  }

  /** Seconds of user and system time so far, of all its threads. */
  get cpuSeconds(): number {
    return processorTicks(readFileSync(`/proc/${this.#child.pid}/stat`, "utf8")) / 100;
  }

  /** Resident set in MiB, now. */
  get residentMib(): number {
    return this.#statusMib("VmRSS");
  }

  /** Resident set in MiB, at most so far. */
  get peakMib(): number {
    return this.#statusMib("VmHWM");
  }

  #statusMib(name: string): number {
    const text = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0) / 1024;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

/** Times of /proc/PID/stat, ended children's too; the name before them may hold anything. */
function processorTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
}

export interface ServerCommand {
  readonly argv: readonly string[];
  readonly folder: string;
  readonly environment: Record<string, string>;
  readonly host: string;
  readonly port: number;
}

/** Starts a server and waits until it accepts a connection. @throws Error with its last words */
export async function startServer(command: ServerCommand): Promise<RunningServer> {
  const child = Bun.spawn([...command.argv], {
    cwd: command.folder,
    env: command.environment,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const words = lastWords(child.stderr);
  const deadline = Date.now() + START_MS;
  while (!(await accepts(command.host, command.port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill("SIGKILL");
      throw new Error(`Cannot start ${JSON.stringify(command.argv.join(" "))}: ${words()}`);
    }
    await Bun.sleep(20);
  }
  return new RunningServer(child);
}

/** Reads on, so that a server that talks much does not stop; keeps the end. */
function lastWords(stream: ReadableStream<Uint8Array>): () => string {
  let text = "";
  void (async () => {
    const decoder = new TextDecoder();
    for await (const part of stream) text = (text + decoder.decode(part)).slice(-2000);
  })();
  return () => text.trim().split("\n").slice(-3).join(" | ");
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.once("error", () => done(false));
  });
}

/** A port that nobody has just now. */
export function freePort(): number {
  const server = Bun.listen({ hostname: "0.0.0.0", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
