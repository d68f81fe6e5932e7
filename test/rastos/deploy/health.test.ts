import { describe, expect, test } from "bun:test";
import {
  checkHealth,
  type HealthOutcome,
  healthReason,
  readHealthSettings,
} from "../../../src/rastos/deploy/health.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** A world whose clock moves only when somebody sleeps. */
function world(work: Workspace) {
  let nowMs = 0;
  const sleep = async (ms: number): Promise<void> => {
    nowMs += ms;
  };
  return { now: () => nowMs, sleep, rinitSocket: work.at("rinit.sock") };
}

async function check(work: Workspace, toml: string): Promise<readonly HealthOutcome[]> {
  const settings = await readHealthSettings(work.write("health.toml", toml));
  return await checkHealth(settings, world(work));
}

describe("health", () => {
  test("without a file nothing is checked where no rinit runs", async () => {
    using work = createWorkspace();
    const settings = await readHealthSettings(work.at("none.toml"));
    expect(settings).toMatchObject({ timeout: 120, services: true, check: [] });
    expect(await checkHealth(settings, world(work))).toEqual([]);
  });

  test("commands, files, connections and answers", async () => {
    using work = createWorkspace();
    using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => new Response("", { status: 204 }),
    });
    const place = `127.0.0.1:${server.port}`;
    const toml = [
      "timeout = 2",
      '[[check]]\ncommand = ["true"]',
      `[[check]]\nfile = "${work.write("there")}"`,
      `[[check]]\ntcp = "${place}"`,
      `[[check]]\nhttp = "http://${place}/"\nstatus = 204`,
      `[[check]]\nname = "wrong"\nhttp = "http://${place}/"`,
      `[[check]]\nname = "gone"\nfile = "${work.at("not there")}"`,
      '[[check]]\nname = "fails"\ncommand = "echo oh no >&2; exit 4"',
      '[[check]]\nname = "missing"\ncommand = ["/no/such/program"]',
      '[[check]]\nname = "closed"\ntcp = "127.0.0.1:1"',
    ].join("\n");
    const outcomes = await check(work, toml);
    expect(outcomes.slice(0, 4).map(({ problem }) => problem)).toEqual(
      Array.from({ length: 4 }, () => undefined),
    );
    const reason = healthReason(outcomes) ?? "";
    expect(reason).toContain('"wrong": the status is 204 instead of 200');
    expect(reason).toContain('"gone": there is no such file');
    expect(reason).toContain('"fails": it ended with 4: oh no');
    expect(reason).toContain('"missing": it cannot be started');
    expect(reason).toContain('"closed": no connection');
  });

  test("each is tried until it passes, or its tries or the time are over", async () => {
    using work = createWorkspace();
    const counter = work.at("count");
    const late = `echo x >> ${counter}; test $(wc -l < ${counter}) -ge 3`;
    const toml = `timeout = 10\n[[check]]\nname = "late"\ncommand = "${late}"\n`;
    expect(await check(work, toml)).toEqual([{ name: "late", problem: undefined, tries: 3 }]);
    const never = 'timeout = 5\n[[check]]\ncommand = "false"\ninterval = 2\n';
    expect((await check(work, never))[0]?.tries).toBe(3);
    const few = 'timeout = 50\n[[check]]\ncommand = "false"\nretries = 1\n';
    expect((await check(work, few))[0]?.tries).toBe(2);
  });

  test("a command that hangs is ended", async () => {
    using work = createWorkspace();
    const toml = 'timeout = 0.5\n[[check]]\ncommand = ["sleep", "60"]\ntimeout = 0.2\n';
    expect((await check(work, toml))[0]?.problem).toBe("it was ended by SIGKILL");
  });

  test.each([
    "[[check]]\ntcp = 'nothing'",
    "[[check]]\n",
    "[[check]]\ncomand = 'x'",
    "timeout = 0",
  ])("%s is no health.toml", async (toml) => {
    using work = createWorkspace();
    await expect(readHealthSettings(work.write("h.toml", toml))).rejects.toMatchObject({
      code: "E_CONFIG",
    });
  });

  test("services that rinit has enabled must be up, and steady", async () => {
    using work = createWorkspace();
    const service = { name: "web", enabled: true, state: "up", pid: 99999, upMs: 9000 };
    let asked = 0;
    using _rinit = fakeRinit(work.at("rinit.sock"), (verb) => {
      if (verb === "health") return { health: [{ service: "web", isGood: true }] };
      asked++;
      const bad = { name: "bad", enabled: true, state: "backoff", reason: "it ended with 1" };
      const own = { name: "bless", enabled: true, state: "starting", pid: process.pid };
      return { services: [asked < 3 ? bad : service, own] };
    });
    expect(await check(work, "timeout = 10\n")).toEqual([
      { name: "services", problem: undefined, tries: 3 },
    ]);
    asked = -100;
    expect(healthReason(await check(work, "timeout = 2\n"))).toBe(
      'health check failed: "services": bad is backoff (it ended with 1)',
    );
    expect(await check(work, "services = false\n")).toEqual([]);
  });

  test("a service that rinit has given up is not waited for", async () => {
    using work = createWorkspace();
    using _rinit = fakeRinit(work.at("rinit.sock"), () => ({
      services: [{ name: "web", enabled: true, state: "failed", reason: "it ended with 1" }],
    }));
    expect(await check(work, "timeout = 1000\n")).toEqual([
      { name: "services", problem: "web is failed (it ended with 1)", tries: 1 },
    ]);
  });
});

/** Something that answers like rinit on its socket. */
function fakeRinit(unix: string, answer: (verb: string) => object): Disposable {
  const listener = Bun.listen({
    unix,
    socket: {
      data: (socket, bytes) => {
        const { verb } = JSON.parse(bytes.toString());
        socket.end(`${JSON.stringify({ ok: true, ...answer(verb) })}\n`);
      },
    },
  });
  return { [Symbol.dispose]: () => listener.stop(true) };
}
