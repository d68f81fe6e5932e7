import { command } from "../local/volume.ts";

export const LINK_KINDS = ["loopback", "gigabit"] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

/** Of the pair of interfaces; TEST-NET-2 of RFC 5737, so that no real network is hidden. */
const CLIENT_ADDRESS = "198.51.100.1";
const SERVER_ADDRESS = "198.51.100.2";

/**
 * The way between client and servers: loopback, or a pair of virtual interfaces into a network
 * namespace of the servers, shaped to 1 Gbit/s in each direction. Needs root.
 */
export class Link {
  readonly kind: LinkKind;
  /** Where the servers listen. */
  readonly address: string;
  readonly #space: string | undefined;

  constructor(kind: LinkKind) {
    this.kind = kind;
    this.address = kind === "loopback" ? "127.0.0.1" : SERVER_ADDRESS;
    this.#space = kind === "loopback" ? undefined : `triad-bench-${process.pid}`;
    if (this.#space === undefined) return;
    try {
      this.#connect(this.#space);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  #connect(space: string): void {
    const [near, far] = [`tbn${process.pid % 100_000}`, `tbf${process.pid % 100_000}`];
    const inside = ["ip", "netns", "exec", space];
    command(["ip", "netns", "add", space]);
    command(["ip", "link", "add", near, "type", "veth", "peer", "name", far, "netns", space]);
    command(["ip", "addr", "add", `${CLIENT_ADDRESS}/30`, "dev", near]);
    command(["ip", "link", "set", near, "up"]);
    command([...inside, "ip", "addr", "add", `${SERVER_ADDRESS}/30`, "dev", far]);
    for (const name of ["lo", far]) command([...inside, "ip", "link", "set", name, "up"]);
    for (const [prefix, name] of [
      [[], near],
      [inside, far],
    ] as const) {
      const tc = [...prefix, "tc"];
      command([...tc, "qdisc", "add", "dev", name, "root", "handle", "1:", "htb", "default", "1"]);
      const rate = ["rate", "1gbit", "burst", "64k", "cburst", "64k"];
      command([
        ...tc,
        "class",
        "add",
        "dev",
        name,
        "parent",
        "1:",
        "classid",
        "1:1",
        "htb",
        ...rate,
      ]);
    }
  }

  /** The command line of a server, run where the servers are. */
  served(argv: readonly string[]): string[] {
    return this.#space === undefined ? [...argv] : ["ip", "netns", "exec", this.#space, ...argv];
  }

  /** The pair goes with its namespace. */
  [Symbol.dispose](): void {
    if (this.#space !== undefined) Bun.spawnSync(["ip", "netns", "del", this.#space]);
  }
}

/** Why a kind of link can't be made here; undefined when it can. */
export function whyNoLink(kind: LinkKind): string | undefined {
  if (kind === "loopback") return undefined;
  for (const name of ["ip", "tc"]) {
    if (Bun.which(name) === null) return `${JSON.stringify(name)} is missing`;
  }
  const probe = Bun.spawnSync(["unshare", "-n", "true"]);
  return probe.exitCode === 0 ? undefined : "network namespaces can't be made";
}
