import { expect, test } from "bun:test";
import fc from "fast-check";
import type { ServiceDefinition } from "../../../src/rastos/service/definition.ts";
import type { CommandRole } from "../../../src/rastos/service/machine.ts";
import { closureOf } from "../../../src/rastos/service/order.ts";
import {
  type ServiceWorld,
  type Spawned,
  Supervisor,
} from "../../../src/rastos/service/supervisor.ts";
import { makeServices } from "../../support/service-definitions.ts";

/** A world of processes that do what the test says, and a clock that it turns. */
class FakeWorld implements ServiceWorld {
  readonly events: string[] = [];
  readonly alive = new Map<number, string>();
  supervisor: Supervisor | undefined;
  /** Ends asked processes at once, as well-behaved ones do. */
  isObedient = true;
  timeMs = 0;
  wakeMs: number | undefined;
  #lastPid = 0;
  readonly #dying: number[] = [];

  nowMs(): number {
    return this.timeMs;
  }
  wakeAt(timeMs: number | undefined): void {
    this.wakeMs = timeMs;
  }
  spawn(service: ServiceDefinition, role: CommandRole): Spawned {
    if (role.kind === "main") this.events.push(`+${service.name}`);
    this.#lastPid += 1;
    this.alive.set(this.#lastPid, service.name);
    if (service.type === "oneshot") this.#dying.push(this.#lastPid);
    return { kind: "running", pid: this.#lastPid };
  }
  signal(_service: ServiceDefinition, pid: number, signal: number): void {
    if (this.isObedient || signal === 9) this.#dying.push(pid);
  }
  sweep(): void {}
  watchReady(service: ServiceDefinition): void {
    queueMicrotask(() => this.supervisor?.ready(service.name));
  }
  readPidFile(): Spawned {
    return { kind: "failed", reason: "none" };
  }
  say(service: string, _level: string, text: string): void {
    this.events.push(`${service}: ${text}`);
  }
  changed(service: string, { phase }: { phase: { kind: string } }): void {
    if (phase.kind === "down") this.events.push(`-${service}`);
  }

  /** Lets those end that are to, and time pass where everything waits for it. */
  run(untilMs = 600_000): void {
    for (let step = 0; step < 10_000; step += 1) {
      const pid = this.#dying.shift();
      if (pid !== undefined) this.end(pid, 0);
      else if (this.wakeMs !== undefined && this.wakeMs <= untilMs) {
        this.timeMs = Math.max(this.timeMs, this.wakeMs);
        this.supervisor?.tick();
      } else return;
    }
    throw new Error("It never comes to rest");
  }

  end(pid: number, code: number): void {
    if (!this.alive.delete(pid)) return;
    this.supervisor?.exited(pid, { code, signal: undefined });
  }

  endOf(name: string, code: number): void {
    const pid = [...this.alive].find(([, owner]) => owner === name)?.[0];
    if (pid === undefined) throw new Error(`"${name}" does not run`);
    this.end(pid, code);
  }
}

function supervise(specs: Record<string, Record<string, unknown>>) {
  const world = new FakeWorld();
  const supervisor = new Supervisor(world);
  world.supervisor = supervisor;
  supervisor.define(makeServices(specs));
  const states = () =>
    Object.fromEntries(
      [...supervisor.services].map(([name, { state }]) => [name, state.phase.kind]),
    );
  return { world, supervisor, states };
}

test("starts what is needed and nothing else, and stops in reverse", () => {
  const { world, supervisor, states } = supervise({
    web: { requires: ["db"], after: ["log"] },
    db: { requires: ["disk"] },
    disk: { type: "oneshot" },
    log: {},
    other: {},
  });
  supervisor.start(["web", "log"]);
  world.run();
  expect(world.events).toEqual(["+disk", "+log", "+db", "+web"]);
  expect(states()).toMatchObject({ web: "up", disk: "up", other: "down" });
  world.events.length = 0;
  supervisor.stopAll();
  world.run();
  expect(world.events).toEqual(["-web", "-db", "-disk", "-log"]);
  expect(supervisor.isIdle).toBe(true);
});

test("what requires something that fails fails too; what only wants it goes on", () => {
  const { world, supervisor, states } = supervise({
    default: { type: "target", wants: ["needs", "wants"] },
    bad: { type: "oneshot", restart: "never" },
    needs: { requires: ["bad"] },
    wants: { wants: ["bad"] },
    lost: { requires: ["nothing"] },
  });
  supervisor.start(["default", "lost"]);
  world.endOf("bad", 1);
  world.run();
  expect(states()).toEqual({
    default: "up",
    bad: "failed",
    needs: "failed",
    wants: "up",
    lost: "failed",
  });
  expect(world.events).toContain('needs: "bad", which it requires, has failed');
  expect(world.events).toContain('lost: it requires "nothing", which no file defines');
});

test("stopping takes along what requires it; starting what conflicts stops the other", () => {
  const { world, supervisor, states } = supervise({
    a: {},
    b: { requires: ["a"] },
    c: { wants: ["a"] },
    rival: { conflicts: ["b"] },
  });
  supervisor.start(["b", "c"]);
  supervisor.stop(["a"]);
  world.run();
  expect(states()).toEqual({ a: "down", b: "down", c: "up", rival: "down" });
  supervisor.start(["b"]);
  supervisor.start(["rival"]);
  // It waits until the other one has really ended.
  expect(states()).toMatchObject({ rival: "waiting", b: "stopping" });
  world.run();
  expect(states()).toMatchObject({ rival: "up", b: "down", a: "up" });
});

test("of two that start together and conflict, the one that names the other wins", () => {
  const { world, supervisor, states } = supervise({
    a: {},
    b: { requires: ["a"] },
    d: { conflicts: ["a"] },
  });
  world.isObedient = false;
  supervisor.start(["b"]);
  supervisor.start(["a", "d"]);
  world.run();
  expect(states()).toEqual({ a: "down", b: "down", d: "up" });
});

test("a restart takes along what requires it, in order both ways", () => {
  const { world, supervisor } = supervise({ a: {}, b: { requires: ["a"] }, c: {} });
  supervisor.start(["b", "c"]);
  world.events.length = 0;
  supervisor.restart(["a"]);
  world.run();
  expect(world.events).toEqual(["+a", "+b"]);
  expect([...world.alive.values()].sort()).toEqual(["a", "b", "c"]);
});

test("definitions that change do not touch what runs; what is gone stays until it ends", () => {
  const { world, supervisor, states } = supervise({ a: {}, b: {} });
  supervisor.start(["a", "b"]);
  supervisor.define(makeServices({ a: { description: "new" }, c: {} }));
  expect(states()).toEqual({ a: "up", b: "up", c: "down" });
  expect(supervisor.services.get("a")?.definition.description).toBe("new");
  supervisor.stop(["b"]);
  world.run();
  supervisor.define(makeServices({ a: {}, c: {} }));
  expect(Object.keys(states()).sort()).toEqual(["a", "c"]);
});

test("circles are named, and what requires itself fails instead of waiting", () => {
  const { world, supervisor, states } = supervise({
    a: { requires: ["b"] },
    b: { requires: ["a"] },
    c: { after: ["d"] },
    d: { after: ["c"] },
  });
  supervisor.start(["a", "c", "d"]);
  world.run();
  expect(world.events.join("\n")).toContain("they wait in a circle: a -> b -> a");
  expect(states()).toEqual({ a: "failed", b: "failed", c: "up", d: "up" });
});

const names = ["a", "b", "c", "d", "e"];
const some = fc.subarray(names, { maxLength: 2 });
const spec = fc.record({
  type: fc.constantFrom("simple", "oneshot", "target"),
  requires: some,
  wants: some,
  after: some,
  before: some,
  conflicts: fc.subarray(names, { maxLength: 1 }),
  restart: fc.constantFrom("on-failure", "never"),
  start_limit: fc.constant(3),
});
const action = fc.oneof(
  fc.record({ kind: fc.constantFrom("start", "stop", "restart"), names: some }),
  fc.record({ kind: fc.constant("crash"), names: some }),
  fc.record({ kind: fc.constant("run"), names: fc.constant([]) }),
);

test("property: whatever is asked in whatever order, it comes to rest and stops", () => {
  fc.assert(
    fc.property(
      fc.tuple(...names.map(() => spec)),
      fc.array(action, { maxLength: 25 }),
      fc.boolean(),
      (specs, actions, isObedient) => {
        const all = Object.fromEntries(names.map((name, index) => [name, specs[index] ?? {}]));
        const { world, supervisor, states } = supervise(all);
        world.isObedient = isObedient;
        for (const { kind, names: chosen } of actions) {
          if (kind === "start") supervisor.start(chosen);
          else if (kind === "stop") supervisor.stop(chosen);
          else if (kind === "restart") supervisor.restart(chosen);
          else if (kind === "run") world.run();
          else {
            for (const [pid, name] of world.alive) if (chosen.includes(name)) world.end(pid, 1);
          }
          const owners = [...world.alive.values()];
          // One main process for each service, at the most.
          expect(new Set(owners).size).toBe(owners.length);
        }
        world.run(Number.MAX_SAFE_INTEGER);
        const now = states();
        for (const name of names) expect(["up", "down", "failed"]).toContain(now[name] ?? "");
        supervisor.stopAll();
        world.run(Number.MAX_SAFE_INTEGER);
        expect(supervisor.isIdle).toBe(true);
        expect([...world.alive.keys()]).toEqual([]);
      },
    ),
    { numRuns: 400 },
  );
});

test("property: nothing starts before what it requires is up, and all of a goal does start", () => {
  const plain = spec.map((one) => ({ ...one, conflicts: [], restart: "never" }));
  fc.assert(
    fc.property(fc.tuple(...names.map(() => plain)), (specs) => {
      const all = Object.fromEntries(names.map((name, index) => [name, specs[index] ?? {}]));
      const { world, supervisor, states } = supervise(all);
      supervisor.start(["a"]);
      world.run();
      const definitions = makeServices(all);
      const now = states();
      const wanted = closureOf(["a"], definitions);
      for (const name of names) {
        expect(now[name]).toBe(
          !wanted.has(name) ? "down" : now[name] === "failed" ? "failed" : "up",
        );
      }
      const isCircle = world.events.some((event) => event.includes("circle"));
      if (!isCircle) for (const name of wanted) expect(now[name]).toBe("up");
      const started = world.events.filter((event) => event.startsWith("+"));
      for (const name of wanted) {
        for (const other of definitions.get(name)?.requires ?? []) {
          const [own, theirs] = [started.indexOf(`+${name}`), started.indexOf(`+${other}`)];
          if (own >= 0 && theirs >= 0 && name !== other && !isCircle) {
            const isOurTarget = definitions.get(other)?.after.includes(name) === true;
            if (!isOurTarget) expect(theirs).toBeLessThan(own);
          }
        }
      }
    }),
  );
});
