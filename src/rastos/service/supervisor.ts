/**
 * All services together: what each waits for, who is to start or stop next. What it does to the
 * world goes through a port, so that tests have a world of their own.
 */
import type { ServiceDefinition } from "./definition.ts";
import {
  advance,
  type CommandRole,
  type Effect,
  INITIAL,
  type MachineEvent,
  type MachineState,
} from "./machine.ts";
import { closureOf, dependentsOf, orderServices, type ServiceOrder } from "./order.ts";

/** What comes of starting a process. */
export type Spawned =
  | { readonly kind: "running"; readonly pid: number }
  | { readonly kind: "failed"; readonly reason: string };

/** The world as far as the supervisor touches it. Nothing here throws. */
export interface ServiceWorld {
  nowMs(): number;
  /** One timer for all; a new one replaces it, undefined stops it. */
  wakeAt(timeMs: number | undefined): void;
  spawn(service: ServiceDefinition, role: CommandRole): Spawned;
  signal(service: ServiceDefinition, pid: number, signal: number): void;
  /** Kills what a process has left behind. */
  sweep(service: ServiceDefinition, pid: number): void;
  /** Reports `ready` until it is told that the process has ended or is ready. */
  watchReady(service: ServiceDefinition, pid: number): void;
  /** The pid that a forking service has written down, and that it is alive. */
  readPidFile(service: ServiceDefinition): Spawned;
  say(service: string, level: "info" | "error", text: string): void;
  /** The phase of a service has another kind than before. */
  changed(service: string, state: MachineState): void;
}

/** A service with its state. */
export interface Supervised {
  readonly definition: ServiceDefinition;
  readonly state: MachineState;
}

interface Entry {
  definition: ServiceDefinition;
  state: MachineState;
}

const ENDED = new Set(["down", "failed"]);
/** Rounds of one `settle`: each moves at least one service on. */
const ROUNDS_MAX = 10_000;

/** Starts, watches and stops services. */
export class Supervisor {
  readonly #world: ServiceWorld;
  #services = new Map<string, Entry>();
  #order: ServiceOrder = orderServices([]);
  /** To be stopped, once all that waits for them has stopped. */
  readonly #leaving = new Set<string>();
  /** Of those, who starts again. */
  readonly #again = new Set<string>();
  readonly #owners = new Map<number, string>();
  #isSettling = false;

  constructor(world: ServiceWorld) {
    this.#world = world;
  }

  /** Takes over these definitions; services that run go on, with the new definition. */
  define(definitions: ReadonlyMap<string, ServiceDefinition>): void {
    const services = new Map<string, Entry>();
    for (const [name, definition] of definitions) {
      services.set(name, { definition, state: this.#services.get(name)?.state ?? INITIAL });
    }
    for (const [name, old] of this.#services) {
      if (!services.has(name) && !ENDED.has(old.state.phase.kind)) services.set(name, old);
    }
    this.#services = services;
    this.#order = orderServices([...services.values()].map(({ definition }) => definition));
    for (const { path, dropped } of this.#order.cycles) {
      const circle = path.join(" -> ");
      const kept = dropped === undefined ? "none of them can start" : "";
      const what = dropped && `"${dropped.from}" does not wait for "${dropped.to}"`;
      this.#world.say(path[0] ?? "", "error", `they wait in a circle: ${circle}; ${what ?? kept}`);
    }
    this.#settle();
  }

  get services(): ReadonlyMap<string, Supervised> {
    return this.#services;
  }

  /** The kind of its phase; "leaving" where it is to stop as soon as others have. */
  stateOf(name: string): string | undefined {
    return this.#leaving.has(name) ? "leaving" : this.#services.get(name)?.state.phase.kind;
  }

  /** Whether nothing runs, and nothing is to. */
  get isIdle(): boolean {
    return [...this.#services.values()].every(({ state }) => ENDED.has(state.phase.kind));
  }

  /** Starts services with all that they require and want; what conflicts with them stops. */
  start(names: readonly string[], except: ReadonlySet<string> = new Set()): void {
    const nodes = this.#definitions();
    const starting = closureOf(names, nodes);
    const opponents = this.#opponents(starting);
    this.#leave(dependentsOf(opponents, nodes));
    for (const name of starting) {
      if (except.has(name) || opponents.has(name)) continue;
      this.#leaving.delete(name);
      this.#tell(name, { kind: "start" });
    }
    this.#settle();
  }

  /** Stops services and all that require them, those first. */
  stop(names: readonly string[]): void {
    const stopped = dependentsOf(names, this.#definitions());
    for (const name of stopped) this.#again.delete(name);
    this.#leave(stopped);
    this.#settle();
  }

  /** Stops everything in reverse order. */
  stopAll(): void {
    this.#again.clear();
    this.#leave(this.#services.keys());
    this.#settle();
  }

  /** Stops and starts services; what requires them and runs is restarted as well. */
  restart(names: readonly string[]): void {
    const restarted = dependentsOf(names, this.#definitions());
    for (const name of restarted) {
      const kind = this.#services.get(name)?.state.phase.kind ?? "down";
      // What stops already was asked to, by somebody else.
      if (!ENDED.has(kind) && !this.#isLeaving(name)) this.#again.add(name);
    }
    this.#leave(restarted);
    this.start(names, this.#again);
  }

  /** A process has ended. Returns false where it was none of a service's. */
  exited(pid: number, exit: { code: number | undefined; signal: number | undefined }): boolean {
    const name = this.#owners.get(pid);
    if (name === undefined) return false;
    this.#owners.delete(pid);
    this.#tell(name, { kind: "exited", pid, exit });
    this.#settle();
    return true;
  }

  /** The first process of the service says that it is ready. */
  ready(name: string): void {
    this.#tell(name, { kind: "ready" });
    this.#settle();
  }

  /** It is alive (WATCHDOG=1). */
  ping(name: string): void {
    this.#tell(name, { kind: "ping" });
    this.#wake();
  }

  /** The time that `wakeAt` was told has come. */
  tick(): void {
    const nowMs = this.#world.nowMs();
    for (const [name, { state }] of this.#services) {
      const { deadlineMs } = state;
      if (deadlineMs !== undefined && deadlineMs <= nowMs) this.#tell(name, { kind: "tick" });
    }
    this.#settle();
  }

  #definitions(): Map<string, ServiceDefinition> {
    return new Map([...this.#services].map(([name, { definition }]) => [name, definition]));
  }

  #opponents(starting: ReadonlySet<string>): Set<string> {
    const found = new Set<string>();
    for (const [name, { definition, state }] of this.#services) {
      const isEnded = ENDED.has(state.phase.kind);
      for (const other of definition.conflicts) {
        // The later one wins; of two that start together, the one that names the other.
        if (starting.has(name) && this.#services.has(other)) found.add(other);
        if (starting.has(other) && !starting.has(name) && !isEnded) found.add(name);
      }
    }
    return found;
  }

  #leave(names: Iterable<string>): void {
    for (const name of names) {
      const phase = this.#services.get(name)?.state.phase.kind;
      if (phase !== undefined && phase !== "down") this.#leaving.add(name);
    }
  }

  /** Moves on whatever can, until nothing can. */
  #settle(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      const names = [...this.#services.keys()];
      // All of them, and no `some`: what can go on at the same time does.
      const moved = names.filter((name) => this.#leaveNow(name) || this.#goNow(name));
      if (moved.length === 0) break;
    }
    this.#isSettling = false;
    this.#wake();
  }

  #leaveNow(name: string): boolean {
    if (!this.#leaving.has(name)) return false;
    const others = this.#order.waitedForBy.get(name) ?? new Set();
    for (const other of others) {
      const phase = this.#services.get(other)?.state.phase;
      const isInTheWay = phase !== undefined && !ENDED.has(phase.kind) && phase.kind !== "waiting";
      if (isInTheWay && this.#isLeaving(other)) return false;
    }
    this.#leaving.delete(name);
    this.#tell(name, { kind: this.#again.delete(name) ? "restart" : "stop" });
    return true;
  }

  #isLeaving(name: string): boolean {
    const phase = this.#services.get(name)?.state.phase.kind;
    return this.#leaving.has(name) || phase === "stopping" || phase === "finishing";
  }

  #goNow(name: string): boolean {
    const entry = this.#services.get(name);
    if (entry?.state.phase.kind !== "waiting") return false;
    const obstacle = this.#obstacle(entry.definition);
    if (obstacle === "wait") return false;
    this.#tell(name, obstacle === undefined ? { kind: "go" } : obstacle);
    return true;
  }

  /** What keeps a service from going: something to wait for, or something hopeless. */
  #obstacle(service: ServiceDefinition): MachineEvent | "wait" | undefined {
    const giveUp = (reason: string): MachineEvent => ({ kind: "give-up", reason });
    if (this.#order.stuck.has(service.name)) return giveUp("it requires itself in a circle");
    for (const name of service.requires) {
      if (!this.#services.has(name)) return giveUp(`it requires "${name}", which no file defines`);
    }
    const conflict = this.#conflict(service);
    if (conflict !== undefined) return conflict;
    for (const [name, kind] of this.#order.waitsFor.get(service.name) ?? []) {
      const phase = this.#services.get(name)?.state.phase.kind ?? "down";
      if (this.#leaving.has(name)) return "wait";
      if (phase === "up") continue;
      const isEnded = ENDED.has(phase);
      // What fails again and again holds up only those that cannot do without it.
      if (!isEnded && (phase !== "backoff" || kind === "requires")) return "wait";
      if (!isEnded || kind !== "requires") continue;
      const state = phase === "failed" ? "has failed" : "is down";
      return giveUp(`"${name}", which it requires, ${state}`);
    }
    return undefined;
  }

  /** What cannot stand a service, or the other way round, and is there. */
  #conflict(service: ServiceDefinition): MachineEvent | "wait" | undefined {
    for (const { definition: other, state } of this.#services.values()) {
      const { kind } = state.phase;
      const names = other.conflicts.includes(service.name);
      const isNamed = service.conflicts.includes(other.name);
      if (other.name === service.name || ENDED.has(kind) || (!names && !isNamed)) continue;
      if (this.#isLeaving(other.name)) return "wait";
      // Both were asked for: who names the other goes first.
      if (kind === "waiting" && names) return { kind: "stop" };
      if (kind === "waiting") return "wait";
      return { kind: "give-up", reason: `it conflicts with "${other.name}", which runs` };
    }
    return undefined;
  }

  #tell(name: string, event: MachineEvent): void {
    const entry = this.#services.get(name);
    if (entry === undefined) return;
    const before = entry.state.phase;
    const { state, effects } = advance(entry.definition, entry.state, event, this.#world.nowMs());
    entry.state = state;
    if (before.kind !== state.phase.kind) this.#world.changed(name, state);
    for (const effect of effects) this.#perform(entry.definition, effect);
  }

  #perform(service: ServiceDefinition, effect: Effect): void {
    switch (effect.kind) {
      case "spawn":
        this.#spawned(service, this.#world.spawn(service, effect.role));
        break;
      case "signal":
        this.#world.signal(service, effect.pid, effect.signal);
        break;
      case "watch-ready":
        this.#world.watchReady(service, effect.pid);
        break;
      case "adopt":
        this.#adopt(service);
        break;
      case "sweep":
        this.#world.sweep(service, effect.pid);
        break;
      case "say":
        this.#world.say(service.name, effect.level, effect.text);
        break;
    }
  }

  #spawned(service: ServiceDefinition, result: Spawned): void {
    if (result.kind === "failed") {
      this.#tell(service.name, { kind: "spawn-failed", reason: result.reason });
      return;
    }
    this.#owners.set(result.pid, service.name);
    this.#tell(service.name, { kind: "spawned", pid: result.pid });
  }

  #adopt(service: ServiceDefinition): void {
    const result = this.#world.readPidFile(service);
    if (result.kind === "failed") {
      this.#tell(service.name, { kind: "adopt-failed", reason: result.reason });
      return;
    }
    this.#owners.set(result.pid, service.name);
    this.#tell(service.name, { kind: "adopted", pid: result.pid });
  }

  #wake(): void {
    let earliest: number | undefined;
    for (const { state } of this.#services.values()) {
      const { deadlineMs } = state;
      if (deadlineMs === undefined) continue;
      if (earliest === undefined || deadlineMs < earliest) earliest = deadlineMs;
    }
    this.#world.wakeAt(earliest);
  }
}
