/** The supervisor's world as it is: processes, pipes, terminals, cgroups, the clock. */
import { join } from "node:path";
import { O } from "../../../ffi/abi/constants.ts";
import { errnoText } from "../../../ffi/errno.ts";
import { processCalls } from "../../../ffi/process.ts";
import { sys } from "../../../ffi/sys.ts";
import { type Account, findAccount } from "./accounts.ts";
import type { Cgroups } from "./cgroup.ts";
import type { ServiceDefinition } from "./definition.ts";
import { openHigh, openPipe, openTerminal } from "./descriptors.ts";
import { serviceEnvironment } from "./environment.ts";
import { type LaunchPlan, launch } from "./launch.ts";
import { resourceLimits } from "./limits.ts";
import type { CommandRole, Exit, MachineState } from "./machine.ts";
import { NotifySocket } from "./notify-socket.ts";
import { readStatus, sessionMembers } from "./process-list.ts";
import { watchReadiness } from "./readiness.ts";
import { openLog, ServiceOutput } from "./service-output.ts";
import { SIGNALS } from "./signals.ts";
import { readSmallFile } from "./small-file.ts";
import type { ServiceWorld, Spawned } from "./supervisor.ts";
import { chooseTerminal, releaseTerminal } from "./virtual-terminal.ts";

/** Where the world is, and who hears of it. */
export interface ProcessWorldOptions {
  readonly logFolder: string;
  /** For sockets: short, since their paths may have 107 bytes. */
  readonly runFolder: string;
  readonly cgroups: Cgroups | undefined;
  /** A line for the console. */
  readonly onMessage: (text: string, level: "info" | "error") => void;
  /** What a service prints that wants it on the console. */
  readonly onOutput: (text: string) => void;
  readonly onChange: (service: string, state: MachineState) => void;
  readonly onTick: () => void;
  readonly onReady: (service: string) => void;
  readonly onPing: (service: string) => void;
}

/** What a service has beyond its processes. */
interface Belongings {
  output: ServiceOutput | undefined;
  notify: NotifySocket | undefined;
  status: string | undefined;
  stopWatching: (() => void) | undefined;
  readyPipe: number | undefined;
  virtualTerminal: number | undefined;
}

/** After the first request to leave, what a service has left behind is killed. */
const SWEEP_MS = 1000;

/** Processes for services. */
export class ProcessWorld implements ServiceWorld {
  readonly #options: ProcessWorldOptions;
  readonly #belongings = new Map<string, Belongings>();
  /** Commands that are no service's own: of readiness, of reloading. */
  readonly #helpers = new Map<number, (exit: Exit) => void>();
  #null: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ProcessWorldOptions) {
    this.#options = options;
  }

  nowMs(): number {
    return performance.now();
  }

  wakeAt(timeMs: number | undefined): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (timeMs === undefined) return;
    // A timer may come a moment early, and would then come again and again.
    const delayMs = Math.max(0, Math.ceil(timeMs - this.nowMs()) + 1);
    this.#timer = setTimeout(this.#options.onTick, Math.min(delayMs, 2 ** 31 - 1));
  }

  spawn(service: ServiceDefinition, role: CommandRole): Spawned {
    const command = role.kind === "main" ? service.command : service[role.kind][role.index];
    if (command === undefined) return { kind: "failed", reason: `no ${role.kind} command` };
    return this.#start(service, command, role.kind === "main");
  }

  /** Runs a command as the service would, beside it: to reload, to ask how it is. */
  run(
    service: ServiceDefinition,
    command: readonly string[],
    done: (exit: Exit) => void,
    more: Readonly<Record<string, string>> = {},
  ): Spawned {
    const result = this.#start(service, command, false, more);
    if (result.kind === "running") this.#helpers.set(result.pid, done);
    return result;
  }

  /** The end of a process that is no service's. */
  exited(pid: number, exit: Exit): void {
    const done = this.#helpers.get(pid);
    this.#helpers.delete(pid);
    done?.(exit);
  }

  signal(service: ServiceDefinition, pid: number, signal: number): void {
    // Each of them leads a process group, made by setsid(2), except one that was adopted.
    const hasGroup = service.kill === "group" && service.type !== "forking";
    const { kill } = processCalls();
    if (kill(hasGroup ? -pid : pid, signal) < 0 && hasGroup) kill(pid, signal);
    if (signal === SIGNALS["SIGKILL"]) this.#killMembers(service, signal);
    else kill(hasGroup ? -pid : pid, 18);
  }

  sweep(service: ServiceDefinition, pid: number): void {
    this.#of(service).output?.end();
    this.#release(service);
    const left = this.#members(service, pid);
    if (left.length === 0) {
      this.#options.cgroups?.remove(service.name);
      return;
    }
    const polite = service.tty === undefined ? SIGNALS["SIGTERM"] : SIGNALS["SIGHUP"];
    const { kill } = processCalls();
    for (const one of left) {
      kill(one, polite ?? 15);
      kill(one, 18);
    }
    this.#say(service, `ended ${left.length} processes that it has left behind`, "info");
    setTimeout(() => {
      for (const one of this.#members(service, pid)) if (left.includes(one)) kill(one, 9);
      this.#options.cgroups?.remove(service.name);
    }, SWEEP_MS);
  }

  watchReady(service: ServiceDefinition, _pid: number): void {
    const belongings = this.#of(service);
    belongings.stopWatching?.();
    if (service.type === "notify") return;
    const hooks = {
      onReady: () => this.#options.onReady(service.name),
      runCommand: (command: readonly string[], done: (isGood: boolean) => void) => {
        const result = this.run(service, command, (exit) => done(exit.code === 0));
        if (result.kind === "failed") done(false);
      },
    };
    belongings.stopWatching = watchReadiness(service.ready, hooks, belongings.readyPipe);
    belongings.readyPipe = undefined;
  }

  readPidFile(service: ServiceDefinition): Spawned {
    const path = service.pid_file ?? "";
    const text = readSmallFile(path)?.trim();
    if (text === undefined) return { kind: "failed", reason: `it has left no "${path}"` };
    const pid = /^\d{1,9}$/.test(text) ? Number(text) : 0;
    // Only what it has left to us: the file may be anybody's, and what it names is killed one day.
    if (pid < 2 || readStatus(pid)?.parent !== process.pid) {
      return { kind: "failed", reason: `"${path}" names no process of the service` };
    }
    return { kind: "running", pid };
  }

  say(service: string, level: "info" | "error", text: string): void {
    this.#belongings.get(service)?.output?.log.say(text);
    this.#options.onMessage(`${service}: ${text}`, level);
  }

  changed(service: string, state: MachineState): void {
    const belongings = this.#belongings.get(service);
    if (state.phase.kind !== "starting") {
      belongings?.stopWatching?.();
      if (belongings !== undefined) belongings.stopWatching = undefined;
    }
    this.#options.onChange(service, state);
  }

  /** What the service has said of itself last (STATUS=). */
  statusText(service: string): string | undefined {
    return this.#belongings.get(service)?.status;
  }

  /** Ends unfinished lines of all logs. */
  closeLogs(): void {
    for (const { output } of this.#belongings.values()) output?.log.close();
  }

  #of(service: ServiceDefinition): Belongings {
    const found = this.#belongings.get(service.name);
    if (found !== undefined) return found;
    const made: Belongings = {
      output: undefined,
      notify: undefined,
      status: undefined,
      stopWatching: undefined,
      readyPipe: undefined,
      virtualTerminal: undefined,
    };
    this.#belongings.set(service.name, made);
    return made;
  }

  #output(service: ServiceDefinition): ServiceOutput {
    const belongings = this.#of(service);
    if (belongings.output === undefined) {
      const folder = join(this.#options.logFolder, service.name);
      const echo = service.log.to_console ? this.#options.onOutput : undefined;
      belongings.output = new ServiceOutput(openLog(folder, service.log), echo);
    }
    return belongings.output;
  }

  /** Turns what can go wrong before the child exists into a reason. */
  #start(
    service: ServiceDefinition,
    command: readonly string[],
    isMain: boolean,
    more: Readonly<Record<string, string>> = {},
  ): Spawned {
    const opened: number[] = [];
    try {
      return this.#startWith(service, command, isMain, more, opened);
    } catch (error) {
      return { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    } finally {
      for (const fd of opened) sys.close(fd);
    }
  }

  #startWith(
    service: ServiceDefinition,
    command: readonly string[],
    isMain: boolean,
    more: Readonly<Record<string, string>>,
    opened: number[],
  ): Spawned {
    const account = this.#account(service);
    const streams = this.#streams(service, isMain, opened);
    const extra = new Map<number, number>();
    const wished = isMain ? this.#specials(service, account, extra, opened) : {};
    const isSerial = /\/(tty(S|AMA|USB)|hvc)\d+$/.test(service.tty ?? "");
    const term = streams.terminal === undefined ? {} : { TERM: isSerial ? "vt220" : "linux" };
    const source = { ...service, environment: { ...term, ...service.environment } };
    const environment = serviceEnvironment(source, account, { ...wished, ...more });
    if (environment.kind === "missing") throw new Error(environment.reason);
    const plan: LaunchPlan = {
      command,
      environment: environment.variables,
      cwd: service.cwd,
      account,
      ...streams,
      extra,
      cgroup: this.#cgroup(service, opened),
      limits: resourceLimits(service.limits),
      umask: Number.parseInt(service.umask, 8),
      nice: service.nice,
      oomScoreAdjust: service.oom_score_adjust,
    };
    return launch(plan);
  }

  /** Without a wish everything runs as rinit itself does. @throws Error that says who is missing */
  #account(service: ServiceDefinition): Account | undefined {
    const { user, group, groups } = service;
    if (user === undefined && group === undefined && groups === undefined) return undefined;
    const found = findAccount({ user, group, groups });
    if (found.kind === "missing") throw new Error(`there is ${found.reason}`);
    return found.account;
  }

  #streams(
    service: ServiceDefinition,
    isMain: boolean,
    opened: number[],
  ): Pick<LaunchPlan, "stdin" | "stdout" | "stderr" | "terminal"> {
    if (isMain && service.tty !== undefined) {
      const choice = chooseTerminal(service.tty);
      if (choice.kind === "missing") throw new Error(choice.reason);
      const terminal = openTerminal(choice.path);
      if (terminal < 0) throw new Error(`no terminal "${choice.path}": ${errnoText(-terminal)}`);
      opened.push(terminal);
      this.#of(service).virtualTerminal = choice.allocated;
      return { stdin: terminal, stdout: terminal, stderr: terminal, terminal };
    }
    this.#null ??= openHigh("/dev/null", O.RDWR);
    const output = this.#output(service);
    output.begin();
    const { out, err } = output.ends;
    return { stdin: this.#null, stdout: out, stderr: err, terminal: undefined };
  }

  /** What the main process alone gets: ways to say that it is ready, and alive. */
  #specials(
    service: ServiceDefinition,
    account: Account | undefined,
    extra: Map<number, number>,
    opened: number[],
  ): Record<string, string> {
    const belongings = this.#of(service);
    belongings.status = undefined;
    if (service.ready.fd !== undefined) {
      if (belongings.readyPipe !== undefined) sys.close(belongings.readyPipe);
      const pipe = openPipe();
      opened.push(pipe.write);
      belongings.readyPipe = pipe.read;
      extra.set(service.ready.fd, pipe.write);
    }
    if (service.type !== "notify" && service.watchdog === undefined) return {};
    const variables: Record<string, string> = { NOTIFY_SOCKET: this.#listen(service, account) };
    if (service.watchdog !== undefined) variables["WATCHDOG_USEC"] = `${service.watchdog * 1000}`;
    return variables;
  }

  #listen(service: ServiceDefinition, account: Account | undefined): string {
    const belongings = this.#of(service);
    const path = join(this.#options.runFolder, "notify", service.name);
    const owner = { uid: account?.uid ?? 0, gid: account?.gid ?? 0 };
    // Anew each time: what a former process has sent too late must not count for this one.
    belongings.notify?.[Symbol.dispose]();
    belongings.notify = NotifySocket.open(path, owner, (message) => {
      if (message.status !== undefined) belongings.status = message.status;
      if (message.isReady && service.type === "notify") this.#options.onReady(service.name);
      if (message.isAlive) this.#options.onPing(service.name);
    });
    return path;
  }

  #cgroup(service: ServiceDefinition, opened: number[]): number | undefined {
    const { cgroups } = this.#options;
    if (cgroups === undefined) return undefined;
    const { fd, problems } = cgroups.enter(service.name, service.limits);
    for (const problem of problems) this.#say(service, problem, "error");
    if (fd < 0) return undefined;
    opened.push(fd);
    return fd;
  }

  #release(service: ServiceDefinition): void {
    const belongings = this.#of(service);
    const { virtualTerminal } = belongings;
    belongings.virtualTerminal = undefined;
    if (virtualTerminal !== undefined) releaseTerminal(virtualTerminal);
  }

  #members(service: ServiceDefinition, pid: number): number[] {
    if (service.kill === "process") return [];
    const grouped = this.#options.cgroups?.members(service.name) ?? [];
    return [...new Set([...sessionMembers(pid).map((one) => one.pid), ...grouped])];
  }

  #killMembers(service: ServiceDefinition, signal: number): void {
    const { kill } = processCalls();
    for (const pid of this.#options.cgroups?.members(service.name) ?? []) kill(pid, signal);
  }

  #say(service: ServiceDefinition, text: string, level: "info" | "error"): void {
    this.#output(service).log.say(text);
    this.#options.onMessage(`${service.name}: ${text}`, level);
  }
}
