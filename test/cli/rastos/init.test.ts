import { afterAll, expect, setDefaultTimeout } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RunningInit } from "../../support/running-init.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

// Everything here waits for processes of its own.
setDefaultTimeout(120_000);

const work = createWorkspace();
afterAll(() => work[Symbol.dispose]());

const testInit = testUnless(firstReason(needsRoot(), needsProgram("unshare")));

function target(...names: string[]): string {
  return `type = "target"\nwants = ${JSON.stringify(names)}\n`;
}

/** A shell line as a service. */
function shell(line: string, more = ""): string {
  return `shell = ${JSON.stringify(line)}\n${more}`;
}

/** States of the processes of a namespace, seen from here: children of its first process. */
function childStates(pid: number): string[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children.split(" ").flatMap((child) => {
    try {
      const stat = readFileSync(`/proc/${child}/stat`, "utf8");
      return [stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3)];
    } catch {
      return [];
    }
  });
}

testInit("starts in order, each way of being ready, and stops in reverse on SIGTERM", async () => {
  const folder = work.folder("order");
  const mark = (name: string): string => `echo ${name} >> ${folder}/order`;
  // Whatever says that it is ready comes after its mark.
  const last = (name: string, then = ":"): string =>
    `trap '${mark(`-${name}`)}; exit 0' TERM
    ${mark(`+${name}`)}; ${then}; while :; do sleep 0.1; done`;
  await using init = await RunningInit.start({
    folder,
    services: {
      default: target("end"),
      file: shell(last("file", `sleep 0.2; touch ${folder}/there`), `ready.file="${folder}/there"`),
      tcp: shell(
        "exec python3 -m http.server --bind 127.0.0.1 18533",
        'requires=["file"]\nready.tcp="127.0.0.1:18533"\ncwd="/tmp"',
      ),
      command: shell(
        last("command"),
        `requires=["tcp"]\nready.command=["grep","-q","+command","${folder}/order"]`,
      ),
      fd: shell(last("fd", "sleep 0.1; echo >&3"), 'requires=["command"]\nready.fd=3'),
      delay: shell(last("delay"), 'requires=["fd"]\nready.delay="700ms"'),
      once: shell(mark("+once"), 'requires=["delay"]\ntype="oneshot"'),
      end: shell(last("end"), 'requires=["once"]\nafter=["delay"]'),
    },
  });
  await init.says("default is up");
  const order = (): string[] => readFileSync(join(folder, "order"), "utf8").trim().split("\n");
  await init.until("the last one has begun", () => order().includes("+end"));
  expect(order()).toEqual(["+file", "+command", "+fd", "+delay", "+once", "+end"]);
  expect(await init.status("tcp")).toMatchObject({ state: "up", restarts: 0 });
  process.kill(init.pid, "SIGTERM");
  expect(await init.ended()).toBe(0);
  expect(order().slice(6)).toEqual(["-end", "-delay", "-fd", "-command", "-file"]);
});

testInit("restarts what is killed, later and later, and gives up in the end", async () => {
  await using init = await RunningInit.start({
    folder: work.folder("restart"),
    services: {
      default: target("victim", "loser"),
      victim: shell("echo $$; exec sleep 1000", 'restart="always"\nrestart_delay="50ms"'),
      loser: shell("exit 3", 'restart_delay="20ms"\nstart_limit=3'),
    },
  });
  await init.says("loser: it was started 3 times");
  expect(init.console).toContain("loser: exit code 3; again in 0.02 s");
  expect(init.console).toContain("loser: exit code 3; again in 0.08 s");
  expect(await init.status("loser")).toMatchObject({ state: "failed", lastExit: { code: 3 } });
  await init.until("it has told its number", () => init.log("victim").length === 1);
  const [first] = init.log("victim");
  const sent = Bun.spawnSync(["nsenter", "-t", `${init.pid}`, "-p", "kill", "-9", `${first}`]);
  expect(sent.success).toBe(true);
  await init.until("it runs again", () => init.log("victim").length === 2);
  const status = await init.status("victim");
  expect(status).toMatchObject({ state: "up", restarts: 1, lastExit: { signal: "SIGKILL" } });
  const overview = await init.service("status");
  expect([overview.code, overview.stdout.includes("loser")]).toEqual([1, true]);
});

testInit("a thousand orphans are reaped, and every service is still known", async () => {
  await using init = await RunningInit.start({
    folder: work.folder("orphans"),
    services: {
      default: target("maker", "steady"),
      // Each sleeper loses its parent at once.
      maker: shell(
        "for i in $(seq 1000); do (sleep 0.1 &); done; echo made; exec sleep 1000",
        'kill="process"',
      ),
      steady: shell("exec sleep 1000"),
    },
  });
  await init.until("all are made", () => init.log("maker").includes("made"));
  // No zombie, and both asleep.
  await init.until("only the services are left", () => childStates(init.pid).join(" ") === "S S");
  expect(await init.status("steady")).toMatchObject({ state: "up", restarts: 0 });
});

testInit("logs have streams and times, are rotated, and hold a flood up", async () => {
  await using init = await RunningInit.start({
    folder: work.folder("logs"),
    services: {
      default: target("talker", "flood"),
      talker: shell("echo out line; echo err line >&2; printf unfinished", 'type="oneshot"'),
      flood: shell("seq 1 200000; echo end; exec sleep 1000", 'log.size_max="64K"\nlog.keep=3'),
    },
  });
  await init.until("the flood is over", () => init.log("flood").includes("end"));
  await init.until("the talker has ended", () => init.log("talker").length === 2);
  expect(init.log("talker")).toEqual(["out line", "unfinished"]);
  expect(init.log("talker", "err")).toEqual(["err line"]);
  const folder = join(init.logFolder, "flood");
  expect(readdirSync(folder).sort()).toEqual(["log", "log.1", "log.2", "log.3"]);
  // What is kept has no gap.
  const numbers = init.log("flood").slice(0, -1).map(Number);
  expect(numbers.at(-1)).toBe(200_000);
  expect(numbers.every((one, index) => index === 0 || one === (numbers[index - 1] ?? 0) + 1)).toBe(
    true,
  );
  const shown = await init.service("logs", "talker", "-n", "1", "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({ schema: "rastos.log/1", text: "unfinished" });
});

const PTY = `
import os, pty, sys, threading
master, slave = os.openpty()
print(os.ttyname(slave), flush=True)
def copy():
    for line in sys.stdin: os.write(master, line.encode())
threading.Thread(target=copy, daemon=True).start()
while True: sys.stdout.write(os.read(master, 4096).decode()); sys.stdout.flush()
`;

testUnless(firstReason(needsRoot(), needsProgram("unshare", "python3")))(
  "a terminal is the session's own, and what a session leaves behind goes with it",
  async () => {
    const folder = work.folder("tty");
    const pty = Bun.spawn(["python3", "-c", PTY], { stdin: "pipe", stdout: "pipe" });
    let shown = "";
    const read = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of pty.stdout) shown += decoder.decode(bytes);
    })();
    while (!shown.includes("\n")) await Bun.sleep(10);
    const path = shown.trim();
    const line = `trap '' HUP; (sleep 4321 &); echo "tty: $(tty)"; exec 4<>/dev/tty && echo owned
      read word; echo "got $word"`;
    await using init = await RunningInit.start({
      folder,
      services: {
        default: target("login"),
        login: `${shell(line)}tty = "${path}"\nrestart = "always"\nrestart_delay = "100ms"`,
      },
    });
    const count = (text: string): number => shown.split(text).length - 1;
    await init.until("it asks", () => shown.includes("owned"));
    expect(shown).toContain(`tty: ${path}`);
    // Until it has become that, it is called as the shell that it was forked from.
    await init.until("the session has a sleeper", async () => {
      const { session } = await init.status("login");
      return JSON.stringify(session).includes('"name":"sleep"');
    });
    const status = await init.status("login");
    expect(status["session"]).toMatchObject([{ name: "sleep" }]);
    pty.stdin.write("hello\n");
    await init.until("it runs again", () => count("owned") === 2);
    expect(shown).toContain("got hello");
    // One sleeper of the new session, and none of the old one.
    await init.until("the old session is gone", () => childStates(init.pid).length === 2);
    pty.kill("SIGKILL");
    await read;
  },
);

testInit("a service asks for what it gets: user, limits, folder, variables, mask", async () => {
  const folder = work.folder("account");
  writeFileSync(join(folder, "env"), '# variables\nFROM_FILE="a b"\nBOTH=file\n');
  await using init = await RunningInit.start({
    folder,
    services: {
      default: target("asks", "plain", "poor"),
      asks: shell(
        'id -u; id -G; pwd; umask; ulimit -n; nice; echo "$FROM_FILE $BOTH $HOME"; env | wc -l',
        `type="oneshot"\nuser="nobody"\ngroups=["daemon"]\ncwd="/tmp"\numask="077"\nnice=5
         environment_files=["${folder}/env","-/nowhere"]
         [environment]\nBOTH="table"\n[limits]\nnofile=77`,
      ),
      plain: shell(
        "ulimit -Sn; cat /proc/self/oom_score_adj",
        'type="oneshot"\noom_score_adjust=9',
      ),
      poor: shell("true", 'user="nobody-at-all"\nrestart="never"'),
    },
  });
  await init.says("default is up");
  await init.until("all is logged", () => {
    return init.log("asks").length === 8 && init.log("plain").length === 2;
  });
  const log = init.log("asks");
  expect(log.slice(0, 2)).toEqual(["65534", "65534 1"]);
  expect(log.slice(2, 7)).toEqual(["/tmp", "0077", "77", "5", "a b table /nonexistent"]);
  expect(init.log("plain")).toEqual(["1024", "9"]);
  expect(init.console).toContain('poor: there is no user "nobody-at-all"');
});

testInit("stop, start, restart and reload by hand; conflicts; unknown names", async () => {
  const folder = work.folder("hand");
  await using init = await RunningInit.start({
    folder,
    services: {
      default: target("base", "top"),
      base: shell("exec sleep 1000", 'reload=["touch","/proc/self/cwd/../$x"]'.replace("$x", "x")),
      top: shell(
        "trap 'echo reread' HUP; echo >&3; while :; do sleep 0.1; done",
        'requires=["base"]\nreload_signal="HUP"\nready.fd=3',
      ),
      rival: shell("exec sleep 1000", 'conflicts=["base"]'),
      stubborn: shell(
        "trap '' TERM; echo >&3; while :; do sleep 0.1; done",
        'stop_timeout="300ms"\nready.fd=3',
      ),
    },
  });
  await init.says("default is up");
  const before = await init.status("top");
  expect((await init.service("restart", "base")).code).toBe(0);
  await init.until("what requires it is up again", async () => {
    const now = await init.status("top");
    return now["state"] === "up" && now["pid"] !== before["pid"];
  });
  expect((await init.service("reload", "top")).code).toBe(0);
  await init.until("it has been told", () => init.log("top").includes("reread"));
  expect((await init.service("stop", "base")).code).toBe(0);
  expect(await init.status("top")).toMatchObject({ state: "down" });
  expect((await init.service("start", "rival", "top")).code).toBe(1);
  expect((await init.service("start", "top")).code).toBe(0);
  expect(await init.status("rival")).toMatchObject({ state: "down" });
  await init.service("start", "stubborn");
  expect((await init.service("stop", "stubborn")).code).toBe(0);
  expect(init.log("stubborn", "run")).toContain("it did not stop within 0.3 s: killed");
  const unknown = await init.service("start", "nothing");
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    'error: Cannot start: no service "nothing"\nhint: see rastos service list\n',
  ]);
});

testInit("stays small, and does nothing while nothing happens", async () => {
  await using init = await RunningInit.start({
    folder: work.folder("idle"),
    services: {
      default: target("a", "b", "c"),
      a: shell("exec sleep 1000"),
      b: shell("exec sleep 1000"),
      c: shell("exec sleep 1000", "ready.delay='10ms'"),
    },
  });
  await init.says("default is up");
  const ticks = (): number => {
    const stat = readFileSync(`/proc/${init.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  };
  await Bun.sleep(1000);
  // Hundredths of a second in two, the least of several times: a machine that has much to do
  // makes whoever wakes up look busy.
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 5 && least > 2; turn++) {
    const before = ticks();
    await Bun.sleep(2000);
    least = Math.min(least, ticks() - before);
  }
  expect(least).toBeLessThanOrEqual(2);
  const status = readFileSync(`/proc/${init.pid}/status`, "utf8");
  expect(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])).toBeLessThan(80 * 1024);
});

testInit("as a supervisor below another init: the same, and orphans come to it", async () => {
  const folder = work.folder("below");
  await using init = await RunningInit.start({
    folder,
    isFirst: false,
    services: {
      default: target("daemon"),
      daemon: shell(
        `(sh -c 'echo $$ > ${folder}/pid; exec sleep 1000' &)
        while [ ! -s ${folder}/pid ]; do sleep 0.05; done`,
        `type="forking"\npid_file="${folder}/pid"`,
      ),
    },
  });
  await init.says("daemon is up");
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  expect(await init.status("daemon")).toMatchObject({ state: "up", pid });
  process.kill(init.pid, "SIGTERM");
  expect(await init.ended()).toBe(0);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect(existsSync(init.socket)).toBe(false);
});

const NOTIFIER = `
import os, socket, sys, time
speaker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
say = lambda text: speaker.sendto(text.encode(), os.environ["NOTIFY_SOCKET"])
print("asked for every", os.environ["WATCHDOG_USEC"], flush=True)
time.sleep(0.2)
say("")
time.sleep(0.1)
say("READY=1\\nSTATUS=at work")
for turn in range(int(sys.argv[1])):
    time.sleep(0.1)
    say("WATCHDOG=1")
time.sleep(1000)
`;

testUnless(firstReason(needsRoot(), needsProgram("unshare", "python3")))(
  "sd_notify, the watchdog, and health",
  async () => {
    const folder = work.folder("notify");
    // Another user is to reach its program, and the socket.
    chmodSync(work.path, 0o755);
    writeFileSync(join(folder, "notifier.py"), NOTIFIER);
    const notifier = (turns: number): string => `
      type = "notify"
      exec = ["python3", "${folder}/notifier.py", "${turns}"]
      watchdog = "3s"
      user = "daemon"
      restart = "never"`;
    await using init = await RunningInit.start({
      folder,
      services: {
        default: target("alive", "frozen", "sick", "well"),
        alive: notifier(1000),
        frozen: notifier(2),
        sick: shell("exec sleep 1000", 'health = ["sh", "-c", "exit 5"]'),
        well: shell("exec sleep 1000", 'health = ["true"]'),
      },
    });
    await init.says("default is up");
    expect(await init.status("alive")).toMatchObject({ state: "up", says: "at work" });
    await init.until("it is logged", () => init.log("alive").length > 0);
    expect(init.log("alive")).toEqual(["asked for every 3000000"]);
    await init.says("frozen: its watchdog got no sign of life");
    await init.until("it has ended", async () => {
      return (await init.status("frozen"))["lastExit"] !== undefined;
    });
    expect(await init.status("frozen")).toMatchObject({ lastExit: { signal: "SIGABRT" } });
    expect(await init.status("alive")).toMatchObject({ state: "up" });
    const health = await init.service("check", "--health");
    expect([health.code, health.stdout]).toEqual([
      1,
      "frozen: its watchdog got no sign of life\nsick: its health command: exit code 5\n",
    ]);
    expect((await init.service("check", "--health", "well")).code).toBe(0);
  },
);
