import { afterAll, beforeAll, expect, setDefaultTimeout } from "bun:test";
import { describeUnless, firstReason, needsProgram, testUnless } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";
import type { Guest } from "./guest.ts";
import { needsLab } from "./needs.ts";
import { type Pair, startPair } from "./pair.ts";

// Two whole machines, emulated.
setDefaultTimeout(900_000);

const MODULES = ["virtio_pci", "virtio_net", "sch_netem", "wireguard", "tls", "overlay", "dummy"];
const tc = Bun.which("tc", { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }) ?? "tc";
const reason = firstReason(needsLab("long"), needsProgram("tc"));
const test = testUnless(reason);
let work: Workspace;
let pair: Pair | undefined;
let left: Guest;
let right: Guest;

describeUnless(reason)("two machines in one network", () => {
  beforeAll(async () => {
    work = createWorkspace();
    pair = await startPair(work, { modules: MODULES, programs: [tc] });
    ({ left, right } = pair);
  });

  afterAll(async () => {
    await pair?.[Symbol.asyncDispose]();
    work[Symbol.dispose]();
  });

  test("the kernel has what this machine's lacks", async () => {
    const links = "ip link add wg0 type wireguard; ip link add dm0 type dummy; ip link";
    const { output } = await left.run(`${links}; cat /proc/filesystems /proc/modules`);
    for (const wanted of ["wg0:", "dm0:", "overlay", "cgroup2", "tls ", "sch_netem"]) {
      expect(output).toContain(wanted);
    }
    const mounted = await left.run("mount -t cgroup2 none /mnt && cat /mnt/cgroup.controllers");
    expect(mounted.output).toMatch(/cpu.* memory.* pids/);
  });

  test("the compiled executable runs", async () => {
    const { output, code } = await left.run("triad --version");
    expect(output).toMatch(/^triad \d+\.\d+/m);
    expect(code).toBe(0);
  });

  test("packets that netem delays are late", async () => {
    const ping = "ping -c 5 -i 0.2 -w 20 10.77.0.2";
    const near = averageMs((await left.run(ping)).output);
    // By its whole path: busybox has a smaller one.
    const delayed = await right.run(`${tc} qdisc add dev eth0 root netem delay 100ms`);
    expect(delayed).toEqual({ output: "\n", code: 0 });
    const far = averageMs((await left.run(ping)).output);
    expect(far).toBeGreaterThan(near + 90);
  });
});

function averageMs(output: string): number {
  const average = /min\/avg\/max = [\d.]+\/([\d.]+)/.exec(output)?.[1];
  if (average === undefined) throw new Error(`No answers to ping:\n${output}`);
  return Number(average);
}
