/**
 * Blit and rsync's daemon over a long link: two emulated machines, netem between them (20 ms there
 * and back, 1 % of the packets lost each way). `bun run bench/far.ts [ROUNDS]` writes the section
 * "far" of RESULTS.md; `--print` prints it.
 */
import { join } from "node:path";
import type { Guest } from "../test/lab/guest.ts";
import { PAIR_ADDRESS, startPair } from "../test/lab/pair.ts";
import { createWorkspace } from "../test/support/workspace.ts";
import { machineLine, quantile, table, writeSection } from "./report.ts";

const [roundsText = "3"] = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const rounds = Number(roundsText);
const onlyPrints = process.argv.includes("--print");

const host = PAIR_ADDRESS.right;
const sbin = `${process.env["PATH"]}:/usr/sbin:/sbin`;
const program = (name: string): string => {
  const path = Bun.which(name, { PATH: sbin });
  if (path === null) throw new Error(`${name} is not here`);
  return path;
};
const tc = program("tc");
const rsync = program("rsync");

const NETEM = "delay 10ms loss 1% limit 100000";
const LIMIT = { limitMs: 600_000 };

/** What is transferred: the command of either tool, from the left machine. */
const scenarios = [
  {
    id: "push, 1 file of 16 MiB",
    blit: (n: number) => `triad blit copy --yes /tmp/s/big ${host}:/m/blit${n}/`,
    rsync: (n: number) => `${rsync} -a /tmp/s/big rsync://${host}/m/rsync${n}/`,
  },
  {
    id: "pull, 1 file of 16 MiB",
    blit: (n: number) => `triad blit copy --yes ${host}:/m/s/big /tmp/t/blit${n}/`,
    rsync: (n: number) => `${rsync} -a rsync://${host}/m/s/big /tmp/t/rsync${n}/`,
  },
  {
    id: "push, 500 files of 4 KiB",
    blit: (n: number) => `triad blit copy --yes /tmp/s/small/ ${host}:/m/blit-small${n}/`,
    rsync: (n: number) => `${rsync} -a /tmp/s/small/ rsync://${host}/m/rsync-small${n}/`,
  },
] as const;

const tools = ["blit", "rsync"] as const;
type Tool = (typeof tools)[number];

const MAKE_DATA = [
  "mkdir -p /tmp/s/small /tmp/t",
  "dd if=/dev/urandom of=/tmp/s/big bs=1M count=16 2>/dev/null",
  "for i in $(seq 500); do head -c 4096 /dev/urandom > /tmp/s/small/$i; done",
].join("; ");

const SERVE = [
  'printf \'[daemon]\\nbind = "%s"\\nno_mdns = true\\n[[module]]\\nname = "m"\\n' +
    `path = "/tmp"\\n' ${host} > /tmp/blitd.toml`,
  "printf 'use chroot = no\\nuid = 0\\ngid = 0\\n[m]\\npath = /tmp\\n' > /tmp/rsyncd.conf",
  "echo 'read only = no' >> /tmp/rsyncd.conf",
  `${rsync} --daemon --config=/tmp/rsyncd.conf`,
  "(triad blitd --config /tmp/blitd.toml > /tmp/blitd.log 2>&1 &)",
  "for i in $(seq 100); do grep -q Listening /tmp/blitd.log && break; sleep 0.2; done",
  "cat /tmp/blitd.log",
].join("; ");

/** Runs a command in the guest. @returns seconds, by its own clock */
async function timed(guest: Guest, command: string): Promise<number> {
  const now = "cut -d' ' -f1 /proc/uptime";
  const run = `${command} > /tmp/run.log 2>&1; c=$?`;
  const script = `a=$(${now}); ${run}; b=$(${now}); echo "T $a $b $c"`;
  const { output } = await guest.run(script, LIMIT);
  const [, from, to, code] = /T ([\d.]+) ([\d.]+) (\d+)/.exec(output) ?? [];
  if (code !== "0") {
    throw new Error(`${command}: ${output}\n${(await guest.run("cat /tmp/run.log")).output}`);
  }
  return Number(to) - Number(from);
}

async function must(guest: Guest, command: string): Promise<string> {
  const { output, code } = await guest.run(command, LIMIT);
  if (code !== 0) throw new Error(`${command}: ${output}`);
  return output;
}

const seconds = new Map<string, Record<Tool, number[]>>();
let tried = "";

using work = createWorkspace();
await using pair = await startPair(work, {
  modules: ["virtio_pci", "virtio_net", "sch_netem"],
  programs: [tc, rsync],
  memoryMb: 1024,
});
const { left, right } = pair;
for (const guest of [left, right]) await must(guest, MAKE_DATA);
process.stderr.write(await must(right, SERVE));
for (const guest of [left, right]) {
  await must(guest, `${tc} qdisc add dev eth0 root netem ${NETEM}`);
}
process.stderr.write(await must(left, `ping -c 20 -i 0.2 -w 30 ${host} | tail -2`));
// Both have been run once before anything counts.
for (const tool of tools) await timed(left, scenarios[2][tool](99));
tried = (await left.run(`triad blit copy --json --yes /tmp/s/big ${host}:/m/json/`, LIMIT)).output;
for (const { id, ...commands } of scenarios) {
  const all: Record<Tool, number[]> = { blit: [], rsync: [] };
  seconds.set(id, all);
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? tools : tools.toReversed();
    for (const tool of order) all[tool].push(await timed(left, commands[tool](round)));
    const shown = tools.map((tool) => `${tool} ${all[tool].at(-1)?.toFixed(2)}`).join(", ");
    process.stderr.write(`${id}, round ${round + 1}: ${shown}\n`);
  }
}
// What has come is what was sent.
const sums = "cd /tmp && cat s/big | sha1sum && cat blit0/big | sha1sum";
const same = new Set((await must(right, `${sums}`)).match(/[0-9a-f]{40}/g) ?? []);
const sent = (await must(left, "sha1sum < /tmp/s/big")).match(/[0-9a-f]{40}/)?.[0] ?? "";
if (!same.has(sent)) throw new Error("the file that arrived is another one");

const rows = [...seconds].map(([id, all]) => {
  const ratios = all.blit.map((value, round) => value / (all.rsync[round] ?? Number.NaN));
  const median = (values: readonly number[]): string => quantile(values, 0.5).toFixed(2);
  const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  return [id, median(all.blit), median(all.rsync), `${median(ratios)} (${spread})`];
});
const streams = /"streams":\s*(\d+)/.exec(tried)?.[1] ?? "?";
const body = `${machineLine()}

Two machines emulated without hardware help, Debian's kernel 6.1, tmpfs on both sides. Netem between
them: \`${NETEM}\` on each side, so 20 ms there and back. Seconds by the guest's
clock, the start of each program included; ${rounds} rounds in turns. Blit chose ${streams} streams.
Emulated processors are some twenty times slower than real ones: what is compared is how the link
is used, not how fast the programs are.

${table(["scenario", "blit s", "rsync daemon s", "ratio"], rows)}`;
if (onlyPrints) process.stdout.write(`${body}\n`);
else {
  const section = { id: "far", title: "Transfers over a long link with loss", body };
  writeSection(join(import.meta.dir, "RESULTS.md"), section);
}
