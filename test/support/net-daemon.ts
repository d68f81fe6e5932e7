import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { binaryPath, toolEnvironment } from "./binary.ts";
import type { NetHost } from "./net-lab.ts";

/** A compiled blitd as its own process, on a host of a NetLab or on loopback. */
export interface NetDaemon {
  readonly address: string;
  readonly port: number;
  readonly dataPort: number;
  readonly pid: number;
  /** What it has said so far. */
  readonly said: () => string;
  /** `address:port:`, to put `/module/path` behind. */
  readonly at: string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal's name. */
  ended(): Promise<number | string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface NetDaemonOptions {
  /** A folder for its config and its home. */
  readonly folder: string;
  readonly host?: NetHost | undefined;
  /** Lines of the [daemon] table beside address and ports; 0 where no port is named. */
  readonly daemon?: readonly string[];
  readonly port?: number;
  readonly dataPort?: number;
  /** Lines after it: further tables. A `[[module]]` "m" of `root` where there is none. */
  readonly rest?: readonly string[];
  readonly root?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const START_MS = 60_000;

/** Starts it and waits until it listens. @throws Error with what it said */
export async function startNetDaemon(options: NetDaemonOptions): Promise<NetDaemon> {
  const { folder, host } = options;
  const address = host?.address ?? "127.0.0.1";
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "blitd.toml");
  writeFileSync(config, configText(options, address));
  const argv = [await binaryPath("blitd"), "--json", "--config", config];
  const child = Bun.spawn(host === undefined ? argv : host.on(argv), {
    cwd: folder,
    env: toolEnvironment({ HOME: folder, ...options.env }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = collect(child.stderr);
  const told = await firstLine(child.stdout);
  if (told === undefined) {
    child.kill("SIGKILL");
    throw new Error(`blitd did not start: ${said()}`);
  }
  const { port, dataPort } = JSON.parse(told) as { port: number; dataPort: number };
  return {
    address,
    port,
    dataPort,
    pid: child.pid,
    said,
    at: `${address}:${port}:`,
    kill: (signal) => child.kill(signal),
    ended: async () => {
      await child.exited;
      return child.exitCode ?? `${child.signalCode}`;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

function configText(options: NetDaemonOptions, address: string): string {
  const module = ["[[module]]", 'name = "m"', `path = ${JSON.stringify(options.root ?? "/")}`];
  const lines = [
    "[daemon]",
    `bind = "${address}"`,
    `port = ${options.port ?? 0}`,
    `data_port = ${options.dataPort ?? 0}`,
    "no_mdns = true",
    ...(options.daemon ?? []),
    ...(options.rest ?? module),
  ];
  return `${lines.join("\n")}\n`;
}

function collect(stream: ReadableStream<Uint8Array>): () => string {
  let text = "";
  void (async () => {
    const decoder = new TextDecoder();
    for await (const part of stream) text += decoder.decode(part, { stream: true });
  })();
  return () => text;
}

/** The first line; what follows is read and dropped. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  const deadline = Bun.sleep(START_MS).then(() => ({ done: true, value: undefined }) as const);
  let text = "";
  while (!text.includes("\n")) {
    const { done, value } = await Promise.race([reader.read(), deadline]);
    if (done || value === undefined) return undefined;
    text += decoder.decode(value, { stream: true });
  }
  void (async () => {
    while (!(await reader.read()).done) {
      // Nobody wants to know.
    }
  })();
  return text.slice(0, text.indexOf("\n"));
}

/** A field of /proc/PID/status in MiB, such as VmHWM: the largest resident set so far. */
export function memoryMib(pid: number, field: "VmRSS" | "VmHWM" | "VmSize"): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? Number.NaN) / 1024;
}

/** Makes VmHWM of a process what it holds now, MiB, which is returned: proc_pid_clear_refs(5). */
export function resetPeakMib(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  return memoryMib(pid, "VmHWM");
}
