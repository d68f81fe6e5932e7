/**
 * The life of one service as a state machine: what is the case and what happens, in; what is the
 * case then and what is to be done, out. Pure: no clock, no processes. The supervisor carries out
 * the effects and tells what came of them.
 */
import type { ServiceDefinition } from "./definition.ts";

/** How a process ended. */
export interface Exit {
  readonly code: number | undefined;
  readonly signal: number | undefined;
}

/** What comes after the post commands. */
export type Outcome =
  | { readonly kind: "down" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "backoff"; readonly delayMs: number; readonly reason: string }
  /** A restart that was asked for: it waits for its turn again. */
  | { readonly kind: "again" };

/** What is the case. Every time is in milliseconds of the supervisor's clock. */
export type Phase =
  | { readonly kind: "down" }
  /** It is to start, and waits for others. */
  | { readonly kind: "waiting" }
  | { readonly kind: "preparing"; readonly index: number; readonly pid: number | undefined }
  | { readonly kind: "starting"; readonly pid: number | undefined }
  /** Without a pid: a target, or a oneshot that is done. */
  | { readonly kind: "up"; readonly pid: number | undefined; readonly sinceMs: number }
  | { readonly kind: "backoff"; readonly reason: string }
  | {
      readonly kind: "stopping";
      readonly pid: number;
      readonly isKilled: boolean;
      readonly outcome: Outcome;
    }
  | {
      readonly kind: "finishing";
      readonly index: number;
      readonly pid: number | undefined;
      readonly outcome: Outcome;
    }
  | { readonly kind: "failed"; readonly reason: string };

/** One service's state. */
export interface MachineState {
  readonly phase: Phase;
  /** When `tick` is due. */
  readonly deadlineMs: number | undefined;
  /** Starts within the window that counts. */
  readonly startsMs: readonly number[];
  /** Restarts in a row without a good run in between. */
  readonly failures: number;
  /** Restarts by itself since it was last asked to start. */
  readonly restarts: number;
  readonly lastExit: Exit | undefined;
}

/** What happens. */
export type MachineEvent =
  /** It shall start: it waits until `go`. */
  | { readonly kind: "start" }
  /** All that it waited for is there. */
  | { readonly kind: "go" }
  | { readonly kind: "give-up"; readonly reason: string }
  | { readonly kind: "stop" }
  | { readonly kind: "restart" }
  | { readonly kind: "spawned"; readonly pid: number }
  | { readonly kind: "spawn-failed"; readonly reason: string }
  | { readonly kind: "exited"; readonly pid: number; readonly exit: Exit }
  /** A forking service has left this process behind. */
  | { readonly kind: "adopted"; readonly pid: number }
  | { readonly kind: "adopt-failed"; readonly reason: string }
  | { readonly kind: "ready" }
  | { readonly kind: "ping" }
  | { readonly kind: "tick" };

/** Which of its commands. */
export type CommandRole =
  | { readonly kind: "main" }
  | { readonly kind: "pre" | "post"; readonly index: number };

/** What is to be done. */
export type Effect =
  /** Answered by `spawned` or `spawn-failed`. */
  | { readonly kind: "spawn"; readonly role: CommandRole }
  | { readonly kind: "signal"; readonly pid: number; readonly signal: number }
  /** Answered by `ready`, as soon as it is. */
  | { readonly kind: "watch-ready"; readonly pid: number }
  /** Answered by `adopted` or `adopt-failed`. */
  | { readonly kind: "adopt" }
  /** What the process has left behind is killed: its session, its cgroup. */
  | { readonly kind: "sweep"; readonly pid: number }
  | { readonly kind: "say"; readonly level: "info" | "error"; readonly text: string };

/** A step. */
export interface Step {
  readonly state: MachineState;
  readonly effects: readonly Effect[];
}

/** As it is before anything. */
export const INITIAL: MachineState = {
  phase: { kind: "down" },
  deadlineMs: undefined,
  startsMs: [],
  failures: 0,
  restarts: 0,
  lastExit: undefined,
};

const KILL = 9;
const ABORT = 6;
/** How long a killed process may take to go, before it counts as stuck in the kernel. */
const KILL_TIMEOUT_MS = 10_000;
/** A run of this length counts as good: the next failure is the first again. */
const GOOD_RUN_MS = 10_000;

/** "exit code 3", "killed by signal 9". */
export function exitText(exit: Exit): string {
  if (exit.signal !== undefined) return `killed by signal ${exit.signal}`;
  return `exit code ${exit.code ?? 0}`;
}

/** What `event` makes of the state. What makes no sense there changes nothing. */
export function advance(
  service: ServiceDefinition,
  state: MachineState,
  event: MachineEvent,
  nowMs: number,
): Step {
  return new Transition(service, state, nowMs).on(event);
}

class Transition {
  readonly #service: ServiceDefinition;
  readonly #nowMs: number;
  readonly #effects: Effect[] = [];
  #state: MachineState;

  constructor(service: ServiceDefinition, state: MachineState, nowMs: number) {
    this.#service = service;
    this.#state = state;
    this.#nowMs = nowMs;
  }

  on(event: MachineEvent): Step {
    this.#dispatch(event);
    return { state: this.#state, effects: this.#effects };
  }

  #dispatch(event: MachineEvent): undefined {
    switch (event.kind) {
      case "start":
        return this.#start();
      case "go":
        return this.#go();
      case "give-up":
        return this.#giveUp(event.reason);
      case "stop":
        return this.#stop({ kind: "down" });
      case "restart":
        return this.#stop({ kind: "again" });
      case "spawned":
        return this.#spawned(event.pid);
      case "spawn-failed":
        return this.#spawnFailed(event.reason);
      case "exited":
        return this.#exited(event.pid, event.exit);
      case "adopted":
        return this.#adopted(event.pid);
      case "adopt-failed":
        return this.#over(this.#failure(event.reason));
      case "ready":
        return this.#ready();
      case "ping":
        return this.#ping();
      case "tick":
        return this.#tick();
    }
  }

  #start(): undefined {
    const { kind } = this.#state.phase;
    if (kind === "stopping" || kind === "finishing") return this.#afterwards({ kind: "again" });
    if (kind !== "down" && kind !== "failed" && kind !== "backoff") return;
    this.#forget();
    this.#enter({ kind: "waiting" });
  }

  /** A start that was asked for begins with a clean sheet. */
  #forget(): undefined {
    this.#state = { ...this.#state, startsMs: [], failures: 0, restarts: 0 };
  }

  #go(): undefined {
    if (this.#state.phase.kind !== "waiting") return;
    const { start_limit: limit, start_limit_window: windowMs, type } = this.#service;
    if (type === "target") return this.#enter({ kind: "up", pid: undefined, sinceMs: this.#nowMs });
    const recent = this.#state.startsMs.filter((startMs) => startMs > this.#nowMs - windowMs);
    if (limit > 0 && recent.length >= limit) {
      const reason = `it was started ${recent.length} times within ${windowMs / 1000} s`;
      this.#fail(reason);
      return;
    }
    this.#state = { ...this.#state, startsMs: [...recent, this.#nowMs] };
    this.#prepare(0);
  }

  #prepare(index: number): undefined {
    const timeoutMs = this.#service.start_timeout;
    if (index < this.#service.pre.length) {
      this.#enter({ kind: "preparing", index, pid: undefined }, timeoutMs);
      this.#effects.push({ kind: "spawn", role: { kind: "pre", index } });
      return;
    }
    const isEndless = this.#service.type === "oneshot";
    this.#enter({ kind: "starting", pid: undefined }, isEndless ? undefined : timeoutMs);
    this.#effects.push({ kind: "spawn", role: { kind: "main" } });
  }

  #spawned(pid: number): undefined {
    const { phase } = this.#state;
    if (phase.kind === "preparing" || phase.kind === "finishing") {
      this.#state = { ...this.#state, phase: { ...phase, pid } };
    } else if (phase.kind === "starting") {
      this.#state = { ...this.#state, phase: { ...phase, pid } };
      const { type, ready } = this.#service;
      const isAtOnce = type === "simple" && Object.keys(ready).length === 0;
      if (isAtOnce) return this.#ready();
      if (type === "simple" || type === "notify") this.#effects.push({ kind: "watch-ready", pid });
    }
  }

  #spawnFailed(reason: string): undefined {
    const { phase } = this.#state;
    if (phase.kind === "finishing") {
      this.#say("error", reason);
      this.#finish(phase.index + 1, phase.outcome);
    } else if (phase.kind === "preparing" || phase.kind === "starting") {
      this.#over(this.#failure(reason));
    }
  }

  #ready(): undefined {
    const { phase } = this.#state;
    if (phase.kind !== "starting" || phase.pid === undefined) return;
    this.#enter({ kind: "up", pid: phase.pid, sinceMs: this.#nowMs }, this.#service.watchdog);
  }

  #ping(): undefined {
    const { phase } = this.#state;
    const { watchdog } = this.#service;
    if (phase.kind !== "up" || watchdog === undefined) return;
    this.#state = { ...this.#state, deadlineMs: this.#nowMs + watchdog };
  }

  #adopted(pid: number): undefined {
    const { phase } = this.#state;
    if (phase.kind !== "starting" || this.#service.type !== "forking") return;
    this.#state = { ...this.#state, phase: { ...phase, pid } };
    this.#ready();
  }

  #exited(pid: number, exit: Exit): undefined {
    const { phase } = this.#state;
    if (!("pid" in phase) || phase.pid !== pid) return;
    const isGood = exit.code === 0;
    switch (phase.kind) {
      case "preparing":
        if (isGood) return this.#prepare(phase.index + 1);
        return this.#over(this.#failure(`a command before its start: ${exitText(exit)}`));
      case "finishing":
        if (!isGood) this.#say("error", `a command after its end: ${exitText(exit)}`);
        return this.#finish(phase.index + 1, phase.outcome);
      case "stopping":
        this.#state = { ...this.#state, lastExit: exit };
        return this.#over(phase.outcome, pid);
      case "starting":
        this.#state = { ...this.#state, lastExit: exit };
        return this.#endedEarly(pid, exit);
      case "up":
        this.#state = { ...this.#state, lastExit: exit };
        return this.#ended(pid, exit, this.#nowMs - phase.sinceMs);
      default:
        return undefined;
    }
  }

  #endedEarly(pid: number, exit: Exit): undefined {
    const { type } = this.#service;
    if (type === "oneshot" && exit.code === 0) {
      this.#effects.push({ kind: "sweep", pid });
      this.#enter({ kind: "up", pid: undefined, sinceMs: this.#nowMs });
    } else if (type === "forking" && exit.code === 0) {
      this.#state = { ...this.#state, phase: { kind: "starting", pid: undefined } };
      this.#effects.push({ kind: "adopt" });
    } else {
      const early = type === "oneshot" ? "" : " before it was ready";
      this.#over(this.#failure(`${exitText(exit)}${early}`), pid);
    }
  }

  /** It ended by itself. */
  #ended(pid: number, exit: Exit, ranMs: number): undefined {
    if (ranMs >= GOOD_RUN_MS) this.#state = { ...this.#state, failures: 0 };
    const isClean = exit.code === 0 || exit.signal === this.#service.stop_signal;
    if (!isClean) return this.#over(this.#failure(exitText(exit)), pid);
    const isAgain = this.#service.restart === "always";
    this.#over(isAgain ? this.#backoff(exitText(exit)) : { kind: "down" }, pid);
  }

  #failure(reason: string): Outcome {
    if (this.#service.restart === "never") return { kind: "failed", reason };
    return this.#backoff(reason);
  }

  #backoff(reason: string): Outcome {
    const { restart_delay: first, restart_delay_max: most } = this.#service;
    const { failures, restarts } = this.#state;
    // 2 ** 40 milliseconds are more than any delay.
    const delayMs = Math.min(first * 2 ** Math.min(failures, 40), Math.max(first, most));
    this.#state = { ...this.#state, failures: failures + 1, restarts: restarts + 1 };
    return { kind: "backoff", delayMs, reason };
  }

  #stop(outcome: Outcome): undefined {
    const { phase } = this.#state;
    switch (phase.kind) {
      case "down":
      case "waiting":
      case "failed":
      case "backoff":
        if (outcome.kind === "again") this.#forget();
        return this.#enter({ kind: outcome.kind === "again" ? "waiting" : "down" });
      case "preparing":
      case "starting":
      case "up":
        if (phase.pid === undefined) return this.#over(outcome);
        return this.#terminate(phase.pid, this.#service.stop_signal, outcome);
      case "stopping":
      case "finishing":
        return this.#afterwards(outcome);
    }
  }

  /** It ends already; what comes then is what was asked for last. */
  #afterwards(outcome: Outcome): undefined {
    const { phase } = this.#state;
    if (phase.kind !== "stopping" && phase.kind !== "finishing") return;
    if (outcome.kind === "again") this.#forget();
    this.#state = { ...this.#state, phase: { ...phase, outcome } };
  }

  #terminate(pid: number, signal: number, outcome: Outcome): undefined {
    if (outcome.kind === "again") this.#forget();
    this.#enter({ kind: "stopping", pid, isKilled: false, outcome }, this.#service.stop_timeout);
    this.#effects.push({ kind: "signal", pid, signal });
  }

  #tick(): undefined {
    const { phase, deadlineMs } = this.#state;
    if (deadlineMs === undefined || this.#nowMs < deadlineMs) return;
    switch (phase.kind) {
      case "backoff":
        return this.#enter({ kind: "waiting" });
      case "preparing":
      case "starting": {
        const outcome = this.#failure(`not ready within ${this.#service.start_timeout / 1000} s`);
        if (phase.pid === undefined) return this.#over(outcome);
        return this.#terminate(phase.pid, this.#service.stop_signal, outcome);
      }
      case "up":
        if (phase.pid === undefined) return this.#enter(phase);
        return this.#terminate(phase.pid, ABORT, this.#failure("its watchdog got no sign of life"));
      case "stopping":
        return this.#kill(phase);
      case "finishing":
        if (phase.pid !== undefined) {
          this.#effects.push({ kind: "signal", pid: phase.pid, signal: KILL });
        }
        return this.#finish(phase.index + 1, phase.outcome);
      default:
        return this.#enter(phase);
    }
  }

  #kill(phase: Extract<Phase, { kind: "stopping" }>): undefined {
    if (phase.isKilled) {
      const reason = `process ${phase.pid} does not go, although it was killed`;
      this.#say("error", reason);
      return this.#enter({ kind: "failed", reason });
    }
    this.#say("info", `it did not stop within ${this.#service.stop_timeout / 1000} s: killed`);
    this.#enter({ ...phase, isKilled: true }, KILL_TIMEOUT_MS);
    this.#effects.push({ kind: "signal", pid: phase.pid, signal: KILL });
  }

  /** Its main process is no more, or there was none. */
  #over(outcome: Outcome, pid?: number): undefined {
    if (pid !== undefined) this.#effects.push({ kind: "sweep", pid });
    this.#finish(0, outcome);
  }

  #finish(index: number, outcome: Outcome): undefined {
    if (index < this.#service.post.length) {
      const phase: Phase = { kind: "finishing", index, pid: undefined, outcome };
      this.#enter(phase, this.#service.stop_timeout);
      this.#effects.push({ kind: "spawn", role: { kind: "post", index } });
      return;
    }
    switch (outcome.kind) {
      case "down":
        return this.#enter({ kind: "down" });
      case "again":
        return this.#enter({ kind: "waiting" });
      case "failed":
        return this.#fail(outcome.reason);
      case "backoff":
        this.#say("error", `${outcome.reason}; again in ${outcome.delayMs / 1000} s`);
        return this.#enter({ kind: "backoff", reason: outcome.reason }, outcome.delayMs);
    }
  }

  #giveUp(reason: string): undefined {
    const { kind } = this.#state.phase;
    if (kind === "waiting" || kind === "backoff") this.#fail(reason);
  }

  #fail(reason: string): undefined {
    this.#say("error", reason);
    this.#enter({ kind: "failed", reason });
  }

  #enter(phase: Phase, timeoutMs?: number): undefined {
    const deadlineMs = timeoutMs === undefined ? undefined : this.#nowMs + timeoutMs;
    this.#state = { ...this.#state, phase, deadlineMs };
  }

  #say(level: "info" | "error", text: string): undefined {
    this.#effects.push({ kind: "say", level, text });
  }
}
