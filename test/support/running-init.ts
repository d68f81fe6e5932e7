import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RunResult } from "./binary.ts";
import { binaryPath, runTool, toolEnvironment } from "./binary.ts";

/** How the compiled rinit is run. */
export interface InitOptions {
  readonly folder: string;
  /** Service files by name. */
  readonly services: Readonly<Record<string, string>>;
  /** As process 1 of namespaces of its own (needs root), or below this process. */
  readonly isFirst?: boolean;
}

/** Only for what never comes: machines may be slow. */
const WAIT_MS = 60_000;

/** The compiled rinit at work, with a socket and logs of its own. */
export class RunningInit implements AsyncDisposable {
  readonly socket: string;
  readonly logFolder: string;
  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #isFirst: boolean;
  #console = "";

  private constructor(
    folder: string,
    child: Bun.Subprocess<"ignore", "pipe", "pipe">,
    isFirst: boolean,
  ) {
    this.#isFirst = isFirst;
    this.socket = join(folder, "c.sock");
    this.logFolder = join(folder, "log");
    this.#child = child;
    void this.#read();
  }

  static async start(options: InitOptions): Promise<RunningInit> {
    const { folder } = options;
    const services = join(folder, "services");
    mkdirSync(services, { recursive: true });
    for (const [name, text] of Object.entries(options.services)) {
      writeFileSync(join(services, `${name}.toml`), text);
    }
    const first = ["unshare", "-p", "-m", "-f", "--mount-proc", "--propagation", "private"];
    const prefix = options.isFirst === false ? [] : first;
    const mode = options.isFirst === false ? ["--supervise"] : [];
    const command = [
      ...[...prefix, await binaryPath("rastos"), "init", ...mode, "--services", services],
      ...["--root", folder, "--socket", join(folder, "c.sock"), "--log", join(folder, "log")],
    ];
    const child = Bun.spawn(command, {
      env: toolEnvironment(),
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const init = new RunningInit(folder, child, options.isFirst !== false);
    await init.until("it listens", () => existsSync(init.socket));
    return init;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of this.#child.stderr) {
      this.#console += decoder.decode(bytes, { stream: true });
    }
  }

  /** What it has said, without the time. */
  get console(): string {
    return this.#console;
  }

  /** Its pid as this process sees it: that of unshare's child. */
  get pid(): number {
    const { pid } = this.#child;
    if (!this.#isFirst) return pid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return Number(children.split(" ")[0]);
  }

  /** Waits for something to become true. */
  async until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
    const endMs = performance.now() + WAIT_MS;
    while (!(await isTrue())) {
      if (performance.now() > endMs) throw new Error(`Not so: ${what}\n${this.#console}`);
      await Bun.sleep(20);
    }
  }

  /** Waits for a line of the console. */
  async says(text: string): Promise<void> {
    await this.until(`it says "${text}"`, () => this.#console.includes(text));
  }

  /** Runs `rastos service …` against it. */
  async service(...args: string[]): Promise<RunResult> {
    const [verb = "", ...rest] = args;
    const place = verb === "logs" ? ["--log", this.logFolder] : ["--socket", this.socket];
    return await runTool("rastos", ["service", verb, ...rest, ...place]);
  }

  /** The texts of a service's log of a stream, without time. */
  log(service: string, stream = "out"): string[] {
    const folder = join(this.logFolder, service);
    if (!existsSync(folder)) return [];
    const files = readdirSync(folder).sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
    const text = files.map((file) => readOrNothing(join(folder, file))).join("");
    const lines = text.split("\n").map((line) => line.split(" "));
    return lines.flatMap(([, mark, ...words]) => (mark === stream ? [words.join(" ")] : []));
  }

  /** Status of a service, as --json tells it. */
  async status(service: string): Promise<Record<string, unknown>> {
    const { stdout } = await this.service("status", service, "--json");
    return JSON.parse(stdout.split("\n")[0] ?? "{}") as Record<string, unknown>;
  }

  /** Its exit code, once it has ended; with that, all that it has said is here. */
  async ended(): Promise<number> {
    const code = await this.#child.exited;
    await Bun.sleep(20);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      try {
        process.kill(this.pid, "SIGKILL");
      } catch {
        // It has just ended.
      }
      this.#child.kill("SIGKILL");
    }
    await this.#child.exited;
  }
}

/** A log that is being rotated has no name for a moment. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
