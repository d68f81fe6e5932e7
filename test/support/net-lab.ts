import { firstReason, needsProgram, needsRoot } from "./skip.ts";

/**
 * Hosts that are network namespaces of this machine, joined by a bridge that is in a namespace too:
 * nothing of the machine's own network is touched. Needs root.
 */

/** Why there can be no such network here, or undefined. */
export function networkMissing(): string | undefined {
  return firstReason(needsRoot(), needsProgram("ip", "nft"), cannotUnshare());
}

function cannotUnshare(): string | undefined {
  const probe = Bun.spawnSync(["unshare", "-n", "true"]);
  return probe.exitCode === 0 ? undefined : "needs network namespaces";
}

/** One host. */
export interface NetHost {
  readonly address: string;
  /** A command line that runs on this host. */
  on(argv: readonly string[]): string[];
  /** Bytes that have gone over its interface so far, both ways, headers included. */
  readonly traffic: () => number;
  /** From now on the host drops what comes to this TCP port, without an answer. */
  drop(port: number): void;
  /** The host answers that nothing listens on this TCP port, everybody or one address. */
  reject(port: number, from?: string): void;
}

let networks = 0;

/** A network with so many hosts; TEST-NET-3 of RFC 5737. */
export class NetLab {
  readonly hosts: readonly NetHost[];
  readonly #spaces: string[] = [];

  /** @throws Error where a command fails; nothing is left behind then */
  constructor(count: number) {
    const id = `tn${process.pid}x${networks++}`;
    try {
      const bridge = this.#space(`${id}-sw`);
      run([...bridge, "ip", "link", "add", "br0", "type", "bridge"]);
      run([...bridge, "ip", "link", "set", "br0", "up"]);
      this.hosts = Array.from({ length: count }, (_, n) => this.#host(id, n));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  #space(name: string): string[] {
    run(["ip", "netns", "add", name]);
    this.#spaces.push(name);
    return ["ip", "netns", "exec", name];
  }

  #host(id: string, n: number): NetHost {
    const inside = this.#space(`${id}-${n}`);
    const address = `203.0.113.${n + 1}`;
    const peer = ["type", "veth", "peer", "name", `p${n}`, "netns", `${id}-sw`];
    run([...inside, "ip", "link", "add", "eth0", ...peer]);
    const bridge = ["ip", "netns", "exec", `${id}-sw`, "ip", "link", "set", `p${n}`];
    run([...bridge, "master", "br0"]);
    run([...bridge, "up"]);
    run([...inside, "ip", "addr", "add", `${address}/24`, "dev", "eth0"]);
    for (const name of ["lo", "eth0"]) run([...inside, "ip", "link", "set", name, "up"]);
    const filter = (port: number, verdict: string, from = ""): void => {
      const rules = [
        "add table inet t",
        "add chain inet t in { type filter hook input priority 0; }",
        `add rule inet t in ${from} tcp dport ${port} ${verdict}`,
      ];
      run([...inside, "nft", rules.join("; ")]);
    };
    return {
      address,
      on: (argv) => [...inside, ...argv],
      traffic: () => trafficOf(inside),
      drop: (port) => filter(port, "drop"),
      reject: (port, from) =>
        filter(port, "reject with tcp reset", from === undefined ? "" : `ip saddr ${from}`),
    };
  }

  /** Interfaces go with their namespaces. */
  [Symbol.dispose](): void {
    for (const name of this.#spaces.splice(0)) Bun.spawnSync(["ip", "netns", "del", name]);
  }
}

function trafficOf(inside: readonly string[]): number {
  const link = Bun.spawnSync([...inside, "ip", "-j", "-s", "link", "show", "eth0"]);
  const [{ stats64 }] = JSON.parse(link.stdout.toString());
  return stats64.rx.bytes + stats64.tx.bytes;
}

function run(argv: readonly string[]): void {
  const child = Bun.spawnSync([...argv], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  if (child.exitCode === 0) return;
  throw new Error(`Cannot run ${argv.join(" ")}: ${child.stderr.toString().trim()}`);
}
