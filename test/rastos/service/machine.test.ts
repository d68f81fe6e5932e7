import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ServiceDefinition } from "../../../src/rastos/service/definition.ts";
import {
  advance,
  type Effect,
  exitText,
  INITIAL,
  type MachineEvent,
  type MachineState,
} from "../../../src/rastos/service/machine.ts";
import { makeService } from "../../support/service-definitions.ts";

/** A machine with its clock, and all that it has wanted done since it was last asked. */
class Life {
  state: MachineState = INITIAL;
  nowMs = 0;
  #effects: Effect[] = [];
  readonly #service: ServiceDefinition;

  constructor(keys: Record<string, unknown> = {}) {
    this.#service = makeService("x", keys);
  }

  on(...events: MachineEvent[]): this {
    for (const event of events) {
      const step = advance(this.#service, this.state, event, this.nowMs);
      this.state = step.state;
      this.#effects.push(...step.effects);
    }
    return this;
  }

  after(ms: number): this {
    this.nowMs += ms;
    return this.on({ kind: "tick" });
  }

  take(): Effect[] {
    return this.#effects.splice(0).filter(({ kind }) => kind !== "say");
  }

  get kind(): string {
    return this.state.phase.kind;
  }
}

const start: MachineEvent[] = [{ kind: "start" }, { kind: "go" }];
const spawned = (pid: number): MachineEvent => ({ kind: "spawned", pid });
const exited = (pid: number, code: number): MachineEvent => ({
  kind: "exited",
  pid,
  exit: { code, signal: undefined },
});
const main = { kind: "spawn", role: { kind: "main" } } as const;

test("a simple service is up as soon as it runs", () => {
  const life = new Life().on(...start);
  expect(life.take()).toEqual([main]);
  expect(life.on(spawned(7)).state.phase).toEqual({ kind: "up", pid: 7, sinceMs: 0 });
});

test("commands before it run one after the other; one that fails keeps it from starting", () => {
  const life = new Life({ pre: [["a"], ["b"]], restart: "never" }).on(...start, spawned(1));
  life.on(exited(1, 0), spawned(2));
  expect(life.take().map((one) => one.kind === "spawn" && one.role)).toEqual([
    { kind: "pre", index: 0 },
    { kind: "pre", index: 1 },
  ]);
  life.on(exited(2, 3));
  expect(life.state.phase).toEqual({
    kind: "failed",
    reason: "a command before its start: exit code 3",
  });
});

test("a oneshot is up once it is done, and stopping it runs what comes after", () => {
  const life = new Life({ type: "oneshot", post: [["clean"]] }).on(...start, spawned(1));
  expect(life.kind).toBe("starting");
  // It may take as long as it likes.
  life.after(10 ** 9).on(exited(1, 0));
  expect(life.state.phase).toMatchObject({ kind: "up", pid: undefined });
  life.take();
  life.on({ kind: "stop" });
  expect(life.take()).toEqual([{ kind: "spawn", role: { kind: "post", index: 0 } }]);
  expect(life.on(spawned(2), exited(2, 0)).kind).toBe("down");
});

test("a notify service waits for its word, and fails when it does not come", () => {
  const life = new Life({ type: "notify", start_timeout: "5s" }).on(...start, spawned(1));
  expect(life.take()).toEqual([main, { kind: "watch-ready", pid: 1 }]);
  expect(life.after(4999).kind).toBe("starting");
  expect(life.after(1).kind).toBe("stopping");
  expect(life.take()).toEqual([{ kind: "signal", pid: 1, signal: 15 }]);
  expect(life.on(exited(1, 0)).kind).toBe("backoff");
  const good = new Life({ type: "notify" }).on(...start, spawned(1), { kind: "ready" });
  expect(good.kind).toBe("up");
});

test("a forking service is up when its first process has left another one behind", () => {
  const life = new Life({ type: "forking", pid_file: "/p" }).on(...start, spawned(1), exited(1, 0));
  expect(life.take()).toEqual([main, { kind: "adopt" }]);
  expect(life.on({ kind: "adopted", pid: 9 }).state.phase).toMatchObject({ kind: "up", pid: 9 });
});

test("restarts come later and later, and a good run begins anew", () => {
  const keys = { restart_delay: "1s", restart_delay_max: "4s", start_limit: 0 };
  const life = new Life(keys).on(...start);
  const delays: number[] = [];
  for (let pid = 1; pid <= 5; pid += 1) {
    life.on(spawned(pid), exited(pid, 1));
    const delayMs = (life.state.deadlineMs ?? 0) - life.nowMs;
    delays.push(delayMs);
    life.after(delayMs - 1);
    expect(life.kind).toBe("backoff");
    life.after(1).on({ kind: "go" });
  }
  expect(delays).toEqual([1000, 2000, 4000, 4000, 4000]);
  life.on(spawned(6)).after(10_000).on(exited(6, 1));
  expect((life.state.deadlineMs ?? 0) - life.nowMs).toBe(1000);
});

test("too many starts within the window are a failure; one by hand forgets them", () => {
  const life = new Life({ start_limit: 3, restart_delay: "1ms" }).on(...start);
  for (let pid = 1; pid <= 3; pid += 1) {
    life.on(spawned(pid), exited(pid, 1)).after(50).on({ kind: "go" });
  }
  expect(life.state.phase).toEqual({
    kind: "failed",
    reason: "it was started 3 times within 120 s",
  });
  expect(life.on(...start, spawned(9)).kind).toBe("up");
});

test("restart = always, on-failure, never", () => {
  const end = (restart: string, code: number): string =>
    new Life({ restart }).on(...start, spawned(1), exited(1, code)).kind;
  expect([end("always", 0), end("always", 1)]).toEqual(["backoff", "backoff"]);
  expect([end("on-failure", 0), end("on-failure", 1)]).toEqual(["down", "backoff"]);
  expect([end("never", 0), end("never", 1)]).toEqual(["down", "failed"]);
});

test("stopping asks, waits, kills, and gives up on what cannot be killed", () => {
  const life = new Life({ stop_signal: "INT", stop_timeout: "2s" }).on(...start, spawned(5));
  life.take();
  life.on({ kind: "stop" });
  expect(life.take()).toEqual([{ kind: "signal", pid: 5, signal: 2 }]);
  life.after(2000);
  expect(life.take()).toEqual([{ kind: "signal", pid: 5, signal: 9 }]);
  expect(life.kind).toBe("stopping");
  expect(life.after(10_000).kind).toBe("failed");
});

test("what is asked for last while it stops is what happens", () => {
  const life = new Life().on(...start, spawned(1), { kind: "stop" }, { kind: "start" });
  expect(life.on(exited(1, 0)).kind).toBe("waiting");
  const other = new Life().on(...start, spawned(1), { kind: "restart" }, { kind: "stop" });
  expect(other.on(exited(1, 0)).kind).toBe("down");
});

test("a watchdog that gets no sign of life ends it with SIGABRT", () => {
  const life = new Life({ watchdog: "3s" }).on(...start, spawned(1));
  life.take();
  life.after(2900).on({ kind: "ping" }).after(2900);
  expect(life.kind).toBe("up");
  expect(life.after(100).kind).toBe("stopping");
  expect(life.take()).toEqual([{ kind: "signal", pid: 1, signal: 6 }]);
  expect(life.on(exited(1, 0)).kind).toBe("backoff");
});

test("the end of another process is none of ours", () => {
  const life = new Life().on(...start, spawned(1), exited(2, 1));
  expect(life.kind).toBe("up");
  expect(exitText({ code: undefined, signal: 9 })).toBe("killed by signal 9");
});

const anyEvent: fc.Arbitrary<MachineEvent | { kind: "later"; ms: number }> = fc.oneof(
  fc.constantFrom<MachineEvent>(
    ...start,
    { kind: "stop" },
    { kind: "restart" },
    { kind: "ready" },
    { kind: "ping" },
    { kind: "give-up", reason: "no" },
  ),
  fc.record({ kind: fc.constant("later" as const), ms: fc.integer({ min: 1, max: 200_000 }) }),
  fc.record({
    kind: fc.constant("exited" as const),
    pid: fc.constant(-1),
    exit: fc.record({ code: fc.integer({ min: 0, max: 2 }), signal: fc.constant(undefined) }),
  }),
);

const anyService = fc.record({
  type: fc.constantFrom("simple", "oneshot", "notify"),
  pre: fc.constantFrom([], [["p"]]),
  post: fc.constantFrom([], [["q"], ["r"]]),
  restart: fc.constantFrom("on-failure", "never"),
  start_limit: fc.integer({ min: 0, max: 4 }),
  spawnFails: fc.boolean(),
});

test("property: at most one process at a time, each of them known until it has ended", () => {
  fc.assert(
    fc.property(anyService, fc.array(anyEvent, { maxLength: 60 }), (keys, events) => {
      const { spawnFails, ...settings } = keys;
      const life = new Life(settings);
      const alive = new Set<number>();
      let lastPid = 0;
      const settle = (): void => {
        for (let effects = life.take(); effects.length > 0; effects = life.take()) {
          for (const effect of effects) {
            if (effect.kind === "signal") expect(alive.has(effect.pid)).toBe(true);
            if (effect.kind !== "spawn") continue;
            // Only a command that has outlived its time may still be there.
            expect(alive.size).toBeLessThanOrEqual(1);
            if (spawnFails && lastPid % 3 === 2) {
              lastPid += 1;
              life.on({ kind: "spawn-failed", reason: "no such program" });
            } else {
              lastPid += 1;
              alive.clear();
              alive.add(lastPid);
              life.on(spawned(lastPid));
            }
          }
        }
      };
      for (const event of events) {
        if (event.kind === "later") life.after(event.ms);
        else if (event.kind === "exited") {
          const [pid] = alive;
          if (pid === undefined) continue;
          alive.delete(pid);
          life.on({ ...event, pid });
        } else life.on(event);
        settle();
        const { phase, deadlineMs } = life.state;
        if (phase.kind === "stopping" || phase.kind === "backoff") {
          // Nobody stops or waits for ever.
          expect(deadlineMs).toBeDefined();
        }
        if (phase.kind === "down" || phase.kind === "waiting") expect(deadlineMs).toBeUndefined();
      }
      // Whatever has happened, stopping comes to an end.
      life.on({ kind: "stop" });
      settle();
      for (let turn = 0; turn < 10; turn += 1) {
        life.after(100_000);
        settle();
      }
      expect(["down", "failed"]).toContain(life.kind);
    }),
    { numRuns: 500 },
  );
});
