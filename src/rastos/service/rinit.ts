/** rinit: the supervisor with its files, its socket and its signals. */
import { processCalls } from "../../../ffi/process.ts";
import { sys } from "../../../ffi/sys.ts";
import { versionInfo } from "../../kit/version.ts";
import { Cgroups } from "./cgroup.ts";
import type {
  ControlReply,
  ControlRequest,
  ServiceStatus,
  SystemStatus,
} from "./control-messages.ts";
import { listenForControl } from "./control-server.ts";
import type { ServiceDefinition } from "./definition.ts";
import { fillStandardStreams } from "./descriptors.ts";
import { type InitMode, prepareMachine } from "./early.ts";
import { enabledServices } from "./enable.ts";
import { askHealth } from "./health.ts";
import { closeFileSystems, endAllProcesses, endMachine, type ShutdownKind } from "./late.ts";
import { loadServices } from "./load.ts";
import { residentMemory } from "./process-list.ts";
import { ProcessWorld } from "./process-world.ts";
import { reapAll } from "./reap.ts";
import { LAST_WORDS_MS } from "./service-output.ts";
import { statusOf } from "./status.ts";
import { Supervisor } from "./supervisor.ts";
import { emergencyService, withTargets } from "./targets.ts";
import { Waiters } from "./waiters.ts";

/** How rinit runs. */
export interface RinitOptions {
  readonly mode: InitMode;
  /** Of service files, weakest first. */
  readonly folders: readonly string[];
  /** Root that holds the links of what is enabled. */
  readonly root: string;
  readonly socket: string;
  readonly logFolder: string;
  readonly runFolder: string;
  readonly target: string;
  /** Lines for the console. */
  readonly onMessage: (text: string, level: "info" | "error") => void;
  readonly onOutput: (text: string) => void;
}

const PR_SET_CHILD_SUBREAPER = 36;
/** Longest time for all services to stop, whatever their own timeouts say. */
const STOP_MS_MAX = 120_000;

/** Signals that end the machine, and how: as busybox has it, and containers (docs/concepts). */
const ENDINGS: Readonly<Record<InitMode, Readonly<Record<string, ShutdownKind>>>> = {
  machine: {
    SIGINT: "reboot",
    SIGTERM: "reboot",
    SIGPWR: "poweroff",
    SIGUSR1: "halt",
    SIGUSR2: "poweroff",
  },
  container: { SIGINT: "reboot", SIGTERM: "poweroff", SIGPWR: "poweroff" },
  supervisor: { SIGINT: "poweroff", SIGTERM: "poweroff" },
};

/** One rinit. */
export class Rinit {
  readonly #options: RinitOptions;
  readonly #supervisor: Supervisor;
  readonly #world: ProcessWorld;
  readonly #waiters = new Waiters();
  readonly #cgroups: Cgroups | undefined;
  readonly #startedMs = performance.now();
  readonly #over = Promise.withResolvers<ShutdownKind>();
  #enabled = new Set<string>();
  #problems: readonly string[] = [];
  #ending: ShutdownKind | undefined;
  #stopListening: (() => void) | undefined;

  constructor(options: RinitOptions) {
    this.#options = options;
    this.#cgroups = options.mode === "machine" ? Cgroups.open("/sys/fs/cgroup") : undefined;
    this.#world = new ProcessWorld({
      logFolder: options.logFolder,
      runFolder: options.runFolder,
      cgroups: this.#cgroups,
      onMessage: options.onMessage,
      onOutput: options.onOutput,
      onTick: () => this.#guarded(() => this.#supervisor.tick()),
      onReady: (service) => this.#guarded(() => this.#supervisor.ready(service)),
      onPing: (service) => this.#guarded(() => this.#supervisor.ping(service)),
      onChange: (service, state) => {
        this.#waiters.changed(service, state.phase.kind);
        if (state.phase.kind === "up") options.onMessage(`${service} is up`, "info");
        if (state.phase.kind === "down") options.onMessage(`${service} is down`, "info");
        this.#endWhenIdle();
      },
    });
    this.#supervisor = new Supervisor(this.#world);
  }

  /**
   * Starts the target and what is enabled, and goes on until somebody ends it.
   *
   * @returns how it is to end; the services have stopped by then
   */
  async run(): Promise<ShutdownKind> {
    sys.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    process.on("SIGCHLD", () => this.#guarded(() => this.#reap()));
    for (const [signal, how] of Object.entries(ENDINGS[this.#options.mode])) {
      process.on(signal as NodeJS.Signals, () => this.end(how, `${signal} came`));
    }
    process.on("SIGHUP", () => void this.#reread());
    try {
      await this.#load();
    } catch (error) {
      this.#complain(error);
    }
    this.#listen();
    this.#guarded(() => this.#supervisor.start([this.#options.target]));
    this.#guarded(() => this.#rescue());
    // A child may have ended before there was anybody to be told.
    this.#guarded(() => this.#reap());
    const how = await this.#over.promise;
    this.#stopListening?.();
    await Bun.sleep(2 * LAST_WORDS_MS);
    this.#world.closeLogs();
    return how;
  }

  /** Stops all services in order; `run` returns when that is done. */
  end(how: ShutdownKind, why: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = how;
    this.#options.onMessage(`${why}: ${how}`, "info");
    setTimeout(() => this.#over.resolve(how), STOP_MS_MAX);
    this.#guarded(() => this.#supervisor.stopAll());
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    if (this.#ending === undefined) return;
    const how = this.#ending;
    // Not within the supervisor's own step.
    queueMicrotask(() => {
      if (this.#supervisor.isIdle) this.#over.resolve(how);
    });
  }

  async #load(): Promise<void> {
    const enabled = enabledServices(this.#options.root);
    const wanted = [...enabled, this.#options.target];
    const { services, faults } = await loadServices({ folders: this.#options.folders }, wanted);
    this.#enabled = new Set(enabled);
    this.#problems = [...faults.values()].map((fault) => {
      const cause = fault.cause instanceof Error ? ` (${fault.cause.message})` : "";
      return `${fault.message}${cause}`;
    });
    for (const problem of this.#problems) this.#options.onMessage(problem, "error");
    this.#supervisor.define(withTargets(services, this.#enabled, this.#options.target));
  }

  async #reread(): Promise<readonly string[]> {
    const before = new Set(this.#supervisor.services.keys());
    await this.#load();
    return [...this.#supervisor.services.keys()].filter((name) => !before.has(name));
  }

  /** With nothing but the target itself there is no way in: then there is a shell. */
  #rescue(): void {
    const { mode } = this.#options;
    const hasAny = [...this.#supervisor.services.values()].some(({ definition, state }) => {
      return definition.type !== "target" && state.phase.kind !== "down";
    });
    if (mode !== "machine" || hasAny) return;
    this.#options.onMessage("no service is to start: a shell on the console instead", "error");
    const shell = emergencyService();
    const all = new Map<string, ServiceDefinition>([[shell.name, shell]]);
    for (const { definition } of this.#supervisor.services.values()) {
      all.set(definition.name, definition);
    }
    this.#supervisor.define(all);
    this.#supervisor.start([shell.name]);
  }

  #reap(): void {
    reapAll((pid, exit) => {
      if (!this.#supervisor.exited(pid, exit)) this.#world.exited(pid, exit);
    });
  }

  #listen(): void {
    try {
      this.#stopListening = listenForControl(this.#options.socket, (one) => this.#answer(one));
    } catch (error) {
      this.#complain(error);
    }
  }

  async #answer(request: ControlRequest): Promise<ControlReply> {
    switch (request.verb) {
      case "status":
        return this.#status(request.names);
      case "start":
      case "stop":
      case "restart":
        return await this.#change(request.verb, request.names, request.wait);
      case "reload":
        return this.#unknown(request.names) ?? this.#reload(request.names);
      case "reread":
        return { ok: true, changed: await this.#reread(), system: this.#system() };
      case "health": {
        const services = [...this.#supervisor.services.values()];
        return { ok: true, health: await askHealth(services, this.#world) };
      }
      case "shutdown":
        // After the answer is on its way.
        setTimeout(() => this.end(request.how, "it was asked for"), 10);
        return { ok: true };
    }
  }

  #status(names: readonly string[]): ControlReply {
    const unknown = this.#unknown(names);
    if (unknown !== undefined) return unknown;
    const wanted = names.length === 0 ? [...this.#supervisor.services.keys()].sort() : names;
    const context = {
      nowMs: performance.now(),
      logFolder: this.#options.logFolder,
      isEnabled: (name: string) => this.#enabled.has(name),
      statusText: (name: string) => this.#world.statusText(name),
      memoryOf: (name: string) => this.#cgroups?.memory(name),
    };
    const services = wanted.flatMap((name): ServiceStatus[] => {
      const found = this.#supervisor.services.get(name);
      return found === undefined ? [] : [statusOf(found, context)];
    });
    return { ok: true, services, system: this.#system() };
  }

  #system(): SystemStatus {
    return {
      pid: process.pid,
      version: versionInfo().version,
      target: this.#options.target,
      isStopping: this.#ending !== undefined,
      memoryBytes: residentMemory(process.pid),
      upMs: Math.round(performance.now() - this.#startedMs),
      problems: this.#problems,
    };
  }

  async #change(
    verb: "start" | "stop" | "restart",
    names: readonly string[],
    wait: boolean,
  ): Promise<ControlReply> {
    const unknown = this.#unknown(names);
    if (unknown !== undefined) return unknown;
    if (this.#ending !== undefined && verb !== "stop") {
      return { ok: false, code: "E_REFUSED", message: "the machine is being shut down" };
    }
    this.#supervisor[verb](names);
    if (wait) {
      const stateOf = (name: string) => this.#supervisor.stateOf(name);
      await this.#waiters.wait(names, verb === "stop" ? "ended" : "settled", stateOf);
    }
    return this.#status(names);
  }

  #reload(names: readonly string[]): ControlReply {
    for (const name of names) {
      const found = this.#supervisor.services.get(name);
      const phase = found?.state.phase;
      if (found === undefined || phase?.kind !== "up" || phase.pid === undefined) {
        return { ok: false, code: "E_REFUSED", message: `"${name}" does not run`, names: [name] };
      }
      const { reload, reload_signal: signal } = found.definition;
      if (reload !== undefined) {
        const more = { MAINPID: `${phase.pid}` };
        const done = (exit: { code: number | undefined }): void => {
          if (exit.code !== 0) this.#world.say(name, "error", "its reload command has failed");
        };
        const result = this.#world.run(found.definition, reload, done, more);
        if (result.kind === "failed") {
          return { ok: false, code: "E_REFUSED", message: result.reason, names: [name] };
        }
      } else if (signal !== undefined) {
        processCalls().kill(phase.pid, signal);
      } else {
        const message = `"${name}" has neither "reload" nor "reload_signal"`;
        return { ok: false, code: "E_REFUSED", message, names: [name] };
      }
    }
    return { ok: true };
  }

  #unknown(names: readonly string[]): ControlReply | undefined {
    const unknown = names.filter((name) => !this.#supervisor.services.has(name));
    if (unknown.length === 0) return undefined;
    const quoted = unknown.map((name) => `"${name}"`).join(", ");
    return { ok: false, code: "E_NOT_FOUND", message: `no service ${quoted}`, names: unknown };
  }

  /** A bug of ours must not be the end of the machine. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#options.onMessage(`this went wrong: ${text}`, "error");
  }
}

/** Runs rinit to its end; as process 1 of a machine it does not return. */
export async function runRinit(options: RinitOptions): Promise<number> {
  const { mode, onMessage } = options;
  fillStandardStreams();
  prepareMachine(mode, (text) => onMessage(text, "error"));
  const how = await new Rinit(options).run();
  if (mode === "supervisor") return 0;
  await endAllProcesses();
  if (mode === "machine") {
    closeFileSystems();
    endMachine(how);
    onMessage("the kernel refuses to end: switch the machine off", "error");
    // Process 1 must not return: the kernel would panic.
    await new Promise(() => undefined);
  }
  // What runs containers learns from the signal that it was a reboot: reboot(2).
  if (how === "reboot") endMachine("reboot");
  return 0;
}
