import { expect, test } from "bun:test";
import { defaultServices } from "../../../src/rastos/service/default-services.ts";
import { loadServices } from "../../../src/rastos/service/load.ts";
import { advance, INITIAL } from "../../../src/rastos/service/machine.ts";
import { closureOf, orderServices, startWaves } from "../../../src/rastos/service/order.ts";
import { withTargets } from "../../../src/rastos/service/targets.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("what every system begins with is right, complete and without circles", async () => {
  using work = createWorkspace();
  for (const { path, content } of defaultServices()) work.write(path, content);
  const { services, faults } = await loadServices({ root: work.path });
  expect([...faults.values()]).toEqual([]);
  for (const one of services.values()) {
    for (const name of [...one.requires, ...one.wants])
      expect([...services.keys()]).toContain(name);
  }
  const order = orderServices(services.values());
  expect(order.cycles).toEqual([]);
  const goal = closureOf(["default"], services);
  const sequence = startWaves(order)
    .flat()
    .filter((name) => goal.has(name));
  const wanted = ["udev", "devices", "mounts", "basic", "getty@console", "default", "rastos-bless"];
  expect(sequence.filter((name) => wanted.includes(name))).toEqual(wanted);
  expect(goal.has("rescue-shell")).toBe(false);
});

test("a login is offered again however often it is ended, and soon", async () => {
  using work = createWorkspace();
  for (const { path, content } of defaultServices()) work.write(path, content);
  const { services } = await loadServices({ root: work.path });
  for (const name of ["getty@console", "rescue-shell"]) {
    const service = services.get(name);
    if (service === undefined) throw new Error(`There is no ${name}`);
    let nowMs = 0;
    let state = advance(service, INITIAL, { kind: "start" }, nowMs).state;
    for (let pid = 2; pid < 40; pid++) {
      const exited = { kind: "exited", pid, exit: { code: 0, signal: undefined } } as const;
      for (const event of [{ kind: "go" }, { kind: "spawned", pid }, exited] as const) {
        state = advance(service, state, event, nowMs).state;
      }
      expect(state.phase.kind).toBe("backoff");
      const delayMs = (state.deadlineMs ?? 0) - nowMs;
      expect(delayMs).toBeLessThanOrEqual(10_000);
      nowMs += delayMs;
      state = advance(service, state, { kind: "tick" }, nowMs).state;
    }
  }
});

test("its scripts are sh", async () => {
  using work = createWorkspace();
  for (const { path, content } of defaultServices()) work.write(path, content);
  const { services } = await loadServices({ root: work.path });
  for (const { shell } of services.values()) {
    if (shell === undefined) continue;
    const checked = Bun.spawnSync(["sh", "-n", "-c", shell], { stderr: "pipe" });
    expect(checked.stderr.toString()).toBe("");
  }
});

test("what is enabled is wanted by its targets; what lacks something runs nothing", async () => {
  using work = createWorkspace();
  work.write("etc/rinit/web.toml", 'exec = ["web"]\ntargets = ["kiosk", "default"]\n');
  work.write("etc/rinit/udev.toml", 'exec = ["udev"]\nonly_if = ["/nowhere/at/all"]\n');
  const { services } = await loadServices({ root: work.path });
  const all = withTargets(services, new Set(["web", "gone"]), "default");
  expect(all.get("default")).toMatchObject({ type: "target", wants: ["web"] });
  expect(all.get("kiosk")?.wants).toEqual(["web"]);
  expect(all.get("udev")).toMatchObject({ type: "target", command: [] });
});
