import { copyFileSync, existsSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import { unpackedPackage } from "./cache.ts";

/** A disk of a guest; what it writes stays in the file. */
export interface GuestDisk {
  readonly path: string;
  readonly format: "raw" | "qcow2";
  /** An empty file that gets every write and flush (see write-log.ts). */
  readonly log?: string;
}

/** A network card. Two guests are joined by a TCP connection of QEMU's on loopback. */
export type GuestNetwork =
  | { readonly kind: "listen"; readonly port: number }
  | { readonly kind: "connect"; readonly port: number };

/** A machine to start. */
export interface GuestRequest {
  /** Started directly, without firmware's help. */
  readonly kernel?: {
    readonly image: string;
    readonly initrd: string;
    /** Of the command line, without the console. */
    readonly options: string;
  };
  /** Starts from the first disk: `uefi` needs {@link firmwareVariables}. Default `bios`. */
  readonly firmware?: "bios" | "uefi";
  /** The file that holds UEFI's variables; it is written to. */
  readonly variables?: string;
  readonly disks?: readonly GuestDisk[];
  readonly networks?: readonly GuestNetwork[];
  readonly memoryMb?: number;
  readonly cpus?: number;
  /** A reboot is one; otherwise the machine ends there. */
  readonly reboots?: boolean;
}

/** How long to wait for something. */
export interface WaitOptions {
  /** On a machine that does nothing else; it grows with the load. Default one minute. */
  readonly limitMs?: number;
  /** Gives up at once when this appears first; a kernel's panic by default. */
  readonly unless?: RegExp;
}

const TICK_MS = 200;
const TAIL_CHARACTERS = 4000;
const PANIC = /Kernel panic - not syncing.*/;

/**
 * What the command line of every guest's kernel begins with. At start Linux waits ten ticks by the
 * processor's own clock and panics where the timer did not tick meanwhile ("IO-APIC + timer
 * doesn't work"); on a host that is busy elsewhere the emulated timer is late, not broken.
 */
export const GUEST_WORDS = "console=ttyS0 quiet no_timer_check";
// CSI and OSC sequences, and single shifts: UEFI and boot loaders draw menus.
const ESCAPES =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /\x1b(?:\[[0-9;?=]*[ -/]*[@-~]|\][^\x07]*\x07|[()][A-Z0-9]|[=>78c])/g;

/**
 * An emulated machine, seen and used over its serial console as by expect(1): each wait begins
 * where the last one has found its text. It is gone at the end of its scope, and with this process.
 */
export class Guest implements AsyncDisposable {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #reading: Promise<void>;
  #text = "";
  #complaints = "";
  #seen = 0;
  #commands = 0;
  #news = Promise.withResolvers<void>();

  private constructor(command: readonly string[]) {
    this.#child = Bun.spawn([...command], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.#reading = this.#read();
  }

  /** @throws Error when UEFI is asked for without a file for its variables */
  static start(request: GuestRequest): Guest {
    return new Guest([...leash(), "qemu-system-x86_64", ...qemuArguments(request)]);
  }

  /** All that has come over the console. */
  get text(): string {
    return this.#text;
  }

  /** What has come since the last text that was waited for. */
  get rest(): string {
    return this.#text.slice(this.#seen);
  }

  /**
   * Waits until the console shows something.
   *
   * @throws Error with the console's last lines: it took too long, the machine ended, or panicked
   */
  async waitFor(pattern: RegExp | string, options: WaitOptions = {}): Promise<RegExpExecArray> {
    const wanted = typeof pattern === "string" ? new RegExp(escaped(pattern)) : pattern;
    let leftMs = options.limitMs ?? 60_000;
    for (;;) {
      const found = wanted.exec(this.rest);
      const problem = (options.unless ?? PANIC).exec(this.rest);
      if (found !== null && (problem === null || found.index <= problem.index)) {
        this.#seen += found.index + found[0].length;
        return found;
      }
      if (problem !== null) throw this.#failure(`"${problem[0]}" came instead of ${wanted}`);
      if (this.#isOver()) throw this.#failure(`the machine ended without ${wanted}`);
      if (leftMs <= 0) throw this.#failure(`${wanted} did not come in time`);
      leftMs -= await this.#tick();
    }
  }

  /**
   * Waits for several texts, in whatever order they come: services start side by side.
   *
   * @throws Error as {@link waitFor} does
   */
  async waitForAll(patterns: readonly string[], options: WaitOptions = {}): Promise<void> {
    const from = this.#seen;
    let last = from;
    for (const pattern of patterns) {
      this.#seen = from;
      await this.waitFor(pattern, options);
      last = Math.max(last, this.#seen);
    }
    this.#seen = last;
  }

  /** Types a line. */
  send(line: string): void {
    this.#child.stdin.write(`${line}\n`);
    this.#child.stdin.flush();
  }

  /**
   * Has a command run by a guest whose console is {@link CONSOLE_SCRIPT}.
   *
   * @throws Error as {@link waitFor} does
   */
  async run(command: string, options: WaitOptions = {}): Promise<{ output: string; code: number }> {
    const number = ++this.#commands;
    this.send(`${number} ${command}`);
    await this.waitFor(`lab: begin ${number}\n`, { limitMs: 30_000 });
    const from = this.#seen;
    const [end, code] = await this.waitFor(new RegExp(`lab: end ${number} (\\d+)\n`), options);
    const text = this.#text.slice(from, this.#seen - end.length);
    return { output: text, code: Number(code) };
  }

  /** Waits until the machine is off. */
  async ended(options: WaitOptions = {}): Promise<void> {
    let leftMs = options.limitMs ?? 30_000;
    while (!this.#isOver()) {
      if (leftMs <= 0) throw this.#failure("the machine does not end");
      leftMs -= await this.#tick();
    }
    await this.#reading;
  }

  /** The power goes: nothing is written any more, and nobody is told. */
  async cut(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver()) await this.cut();
  }

  #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Waits for news, for a moment at most. Returns how much of a quiet machine's time it was. */
  async #tick(): Promise<number> {
    const startedMs = performance.now();
    await Promise.race([this.#news.promise, this.#child.exited, Bun.sleep(TICK_MS)]);
    // Let the reader see what came with the end.
    if (this.#isOver()) await this.#reading;
    const load = (loadavg()[0] ?? 0) / availableParallelism();
    return (performance.now() - startedMs) / Math.max(1, load);
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const complaints = new Response(this.#child.stderr).text();
    let pending = "";
    for await (const bytes of this.#child.stdout) {
      pending += decoder.decode(bytes, { stream: true });
      // An escape sequence may be cut in two.
      const last = pending.lastIndexOf("\u001b");
      const cut = last >= 0 && last > pending.length - 20 ? last : pending.length;
      this.#text += pending.slice(0, cut).replaceAll(ESCAPES, "").replaceAll("\r", "");
      pending = pending.slice(cut);
      const news = this.#news;
      this.#news = Promise.withResolvers();
      news.resolve();
    }
    this.#text += pending;
    this.#complaints = await complaints;
  }

  #failure(problem: string): Error {
    const complaints = this.#complaints === "" ? "" : `\nQEMU: ${this.#complaints}`;
    return new Error(`${problem}${complaints}\n…${this.#text.slice(-TAIL_CHARACTERS)}`);
  }
}

/** The machine must not outlive a test run that is killed. */
function leash(): readonly string[] {
  return Bun.which("setpriv") === null ? [] : ["setpriv", "--pdeathsig", "KILL", "--"];
}

/**
 * sh for the console of a guest under test: a line in, what it says out, and its exit code. No
 * prompt and no echo that could be taken for an answer.
 */
export const CONSOLE_SCRIPT = [
  "stty -echo 2>/dev/null",
  'echo "lab: console $(cat /etc/hostname 2>/dev/null)"',
  "while read -r number line; do",
  '  echo "lab: begin $number"',
  '  eval "$line"',
  '  code=$?; echo; echo "lab: end $number $code"',
  "done",
] as const;

/** Makes a file of UEFI variables as a new machine has them. */
export function firmwareVariables(path: string): string {
  if (!existsSync(path)) copyFileSync(firmwareFile("OVMF_VARS_4M.fd"), path);
  return path;
}

function firmwareFile(name: string): string {
  return join(unpackedPackage("ovmf"), "usr/share/OVMF", name);
}

function qemuArguments(request: GuestRequest): string[] {
  const words = "-accel tcg -M q35 -cpu max -display none -serial stdio -monitor none -vga none";
  const all = [...words.split(" ")];
  all.push("-smp", String(request.cpus ?? 2), "-m", String(request.memoryMb ?? 1024));
  if (request.reboots !== true) all.push("-no-reboot");
  if (request.kernel !== undefined) {
    const { image, initrd, options } = request.kernel;
    all.push("-kernel", image, "-initrd", initrd);
    all.push("-append", `${GUEST_WORDS} ${options}`);
  }
  if (request.firmware === "uefi") {
    if (request.variables === undefined) throw new Error("UEFI needs a file for its variables");
    const drive = "if=pflash,format=raw";
    all.push("-drive", `${drive},unit=0,readonly=on,file=${firmwareFile("OVMF_CODE_4M.fd")}`);
    all.push("-drive", `${drive},unit=1,file=${request.variables}`);
  }
  for (const [index, disk] of (request.disks ?? []).entries())
    all.push(...diskArguments(disk, index));
  const networks = request.networks ?? [];
  if (networks.length === 0) all.push("-net", "none");
  for (const [index, { kind, port }] of networks.entries()) {
    all.push("-netdev", `socket,id=n${index},${kind}=127.0.0.1:${port}`);
    const address = (kind === "listen" ? 16 : 32) + index;
    all.push("-device", `virtio-net-pci,netdev=n${index},mac=52:54:00:00:00:${address}`);
  }
  return all;
}

function diskArguments({ path, format, log }: GuestDisk, index: number): string[] {
  const [file, node] = [`file${index}`, `disk${index}`];
  const all = ["-blockdev", `driver=file,node-name=${file},filename=${path}`];
  all.push("-blockdev", `driver=${format},node-name=${node},file=${file}`);
  const drive = log === undefined ? node : `logged${index}`;
  if (log !== undefined) {
    all.push("-blockdev", `driver=file,node-name=log${index},filename=${log}`);
    all.push("-blockdev", `driver=blklogwrites,node-name=${drive},file=${node},log=log${index}`);
  }
  return [...all, "-device", `virtio-blk-pci,drive=${drive}`];
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** A TCP port on loopback that nobody has at the moment. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
