import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binaryPath, toolEnvironment } from "./binary.ts";

/** A module of a test's daemon; keys as in the config file. */
export type TestModule = {
  readonly name: string;
  readonly path: string;
} & Readonly<Record<string, string | number | boolean | readonly string[]>>;

export interface BlitdOptions {
  readonly modules?: readonly TestModule[];
  /** Lines for [daemon], before its sub-tables: `motd = "x"`. */
  readonly daemon?: readonly string[];
  /** Lines for [daemon.tls]. */
  readonly tls?: readonly string[];
  /** Further arguments, such as `--root DIR`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Put before the command, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  /** Address to listen on; loopback by default. */
  readonly bind?: string;
}

/** The compiled daemon, listening. `await using daemon = await startBlitd(…)` ends it. */
export interface RunningBlitd extends AsyncDisposable {
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly port: number;
  readonly dataPort: number;
  readonly address: string;
  /** Its HOME, which goes with it. */
  readonly home: string;
  readonly configFile: string;
  /** As a user types it: `place("m", "a/b")` = "127.0.0.1:4711:/m/a/b". */
  place(module: string, path?: string): string;
  /** Writes another config and has the daemon read it. */
  reconfigure(options: Pick<BlitdOptions, "modules" | "daemon" | "tls">): void;
  /** What it has said on stderr so far. */
  log(): string;
  /** Waits until the log matches. @throws Error where the daemon ends before */
  until(pattern: RegExp): Promise<void>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<{ code: number | null; signal: string; log: string }>;
}

/** The first line that `blitd --json` prints. */
interface Listening {
  readonly schema: "blitd.listening/1";
  readonly address: string;
  readonly port: number;
  readonly dataPort: number;
}

/** Starts the compiled daemon on free ports, with a HOME of its own. */
export async function startBlitd(options: BlitdOptions = {}): Promise<RunningBlitd> {
  const home = mkdtempSync(join(tmpdir(), "blitd-home-"));
  const configFile = join(home, "blitd.toml");
  writeFileSync(configFile, configText(options));
  mkdirSync(join(home, "state"));
  const args = ["--json", "-v", "--config", configFile, "--bind", options.bind ?? "127.0.0.1"];
  const command = [
    ...(options.prefix ?? []),
    await binaryPath("blitd"),
    ...args,
    ...["--port", "0", "--no-mdns"],
    ...(options.args ?? []),
  ];
  const child = Bun.spawn(command, {
    cwd: options.cwd ?? home,
    env: toolEnvironment({ HOME: home, XDG_STATE_HOME: join(home, "state"), ...options.env }),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const log = follow(child.stderr);
  const first = await firstLine(child.stdout);
  if (first === undefined) {
    await child.exited;
    rmSync(home, { recursive: true });
    throw new Error(`blitd ended before it listened: ${log.text()}`);
  }
  const { address, port, dataPort } = JSON.parse(first) as Listening;
  const stop: RunningBlitd["stop"] = async (signal = "SIGTERM") => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await child.exited;
    await log.ended;
    rmSync(home, { recursive: true, force: true });
    return { code: child.exitCode, signal: `${child.signalCode ?? ""}`, log: log.text() };
  };
  return {
    process: child,
    port,
    dataPort,
    address,
    home,
    configFile,
    place: (module, path = "") => {
      const host = address.includes(":") ? `[${address}]` : address;
      return module === "" ? `${host}:${port}://${path}` : `${host}:${port}:/${module}/${path}`;
    },
    reconfigure: (changed) => {
      writeFileSync(configFile, configText(changed));
      child.kill("SIGHUP");
    },
    log: log.text,
    until: log.until,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop("SIGKILL");
    },
  };
}

function configText(options: Pick<BlitdOptions, "modules" | "daemon" | "tls">): string {
  const lines = ["[daemon]", ...(options.daemon ?? [])];
  if (options.tls !== undefined) lines.push("[daemon.tls]", "enabled = true", ...options.tls);
  for (const module of options.modules ?? []) {
    lines.push("[[module]]");
    for (const [key, value] of Object.entries(module))
      lines.push(`${key} = ${JSON.stringify(value)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** What a stream has said so far, and waiting for it to say something. */
function follow(stream: ReadableStream<Uint8Array>) {
  let text = "";
  let isOver = false;
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const one of waiting.splice(0)) one();
  };
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true });
      wake();
    }
    isOver = true;
    wake();
  };
  return {
    text: () => text,
    ended: read(),
    until: async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(text)) {
        if (isOver) throw new Error(`blitd ended, and never said ${pattern}: ${text}`);
        await new Promise<void>((resolve) => (waiting = [...waiting, resolve]));
      }
    },
  };
}

/** The stream stays open: closing it would tell the daemon that nobody reads. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const reader = stream.getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    text += new TextDecoder().decode(value);
    const end = text.indexOf("\n");
    if (end >= 0) return text.slice(0, end);
  }
}
