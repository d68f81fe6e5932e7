import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { binaryPath, runCommand } from "../../support/binary.ts";
import { type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { NetLab, networkMissing } from "../../support/net-lab.ts";
import { makeSecurity, SECURITY_KINDS, type Security } from "../../support/net-security.ts";
import { describeUnless, firstReason, needsProgram } from "../../support/skip.ts";
import {
  describeTree,
  differences,
  hex,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace, removeTree, type Workspace } from "../../support/workspace.ts";

/**
 * Every verb in every direction over every kind of connection, between hosts that share nothing
 * but a network: client, daemon A and daemon B are three network namespaces. What arrives is
 * compared by rsync and by python.
 */

const missing = firstReason(networkMissing(), treeToolsMissing(), needsProgram("openssl"));

/** How the data goes: by its own connections, or by the control stream where those are dropped. */
const WAYS = [...SECURITY_KINDS, "gRPC fallback"] as const;
const DIRECTIONS = ["push", "pull", "between daemons", "within a daemon"] as const;
const VERBS = ["copy", "mirror", "move"] as const;

const seconds = (n: number): string => `${1_500_000_000 + n}123456789`;

/** One of everything that a transfer can carry. */
const TREE: readonly TreeOperation[] = [
  { op: "folder", path: "empty", mode: 0o2750, mtimeNs: seconds(1) },
  { op: "file", path: "zero", size: 0, mtimeNs: seconds(2), mode: 0o600 },
  { op: "file", path: "small", text: "hello", mtimeNs: seconds(3), uid: 1000, gid: 1001 },
  { op: "file", path: "folder/deep/er/file", size: 70_000, seed: 3, mtimeNs: seconds(4) },
  { op: "file", path: "large", size: 9_500_000, seed: 4, mtimeNs: seconds(5), mode: 0o4755 },
  { op: "file", path: "holes", size: 3_000_000, seed: 5, data: [[1_000_000, 4096]] },
  { op: "file", path: "n\nl \xff\xfe \xc3\xbc", text: "name", xattrs: { "user.note": hex("x") } },
  { op: "link", path: "link", to: "folder/deep", mtimeNs: seconds(6) },
  { op: "link", path: "broken", to: "/nowhere/at all" },
  { op: "hard", path: "folder/again", to: "large" },
  { op: "hard", path: "twice", to: "small" },
  ...Array.from({ length: 300 }, (_, n): TreeOperation => {
    return { op: "file", path: `many/${n % 7}/${n}`, size: n * 11, seed: n, mtimeNs: seconds(n) };
  }),
  { op: "set", path: "folder", mode: 0o711, mtimeNs: seconds(7) },
];

const CHANGES: readonly TreeOperation[] = [
  { op: "remove", path: "many/3" },
  { op: "file", path: "small", text: "other", mtimeNs: seconds(500) },
  { op: "rename", path: "folder/deep", to: "folder/deeper" },
  { op: "file", path: "zero", size: 500_000, seed: 9, mtimeNs: seconds(501) },
  { op: "set", path: "large", mode: 0o640 },
];

describeUnless(missing)("between hosts", () => {
  for (const way of WAYS) {
    describeUnless(undefined)(way, () => {
      let world: World;
      beforeAll(async () => {
        world = await World.make(way);
      }, 180_000);
      afterAll(async () => await world.end());
      for (const direction of DIRECTIONS) {
        for (const verb of VERBS) {
          test(`${verb}: ${direction}`, () => world.check(direction, verb), 60_000);
        }
      }
    });
  }
});

/** Two daemons and a client, each on a host of its own. */
class World {
  readonly #way: (typeof WAYS)[number];
  readonly #work: Workspace;
  readonly #lab: NetLab;
  readonly #security: Security;
  readonly #daemons: readonly NetDaemon[];

  private constructor(
    way: (typeof WAYS)[number],
    made: {
      readonly work: Workspace;
      readonly lab: NetLab;
      readonly security: Security;
      readonly daemons: readonly NetDaemon[];
    },
  ) {
    this.#way = way;
    this.#work = made.work;
    this.#lab = made.lab;
    this.#security = made.security;
    this.#daemons = made.daemons;
  }

  static async make(way: (typeof WAYS)[number]): Promise<World> {
    const work = createWorkspace();
    const lab = new NetLab(3);
    const kind = way === "gRPC fallback" ? "plain" : way;
    const security = makeSecurity(kind, work.folder("security"));
    const daemons: NetDaemon[] = [];
    for (const [name, host] of [
      ["a", lab.hosts[1]],
      ["b", lab.hosts[2]],
    ] as const) {
      const root = work.folder(name);
      const module = ["[[module]]", 'name = "m"', `path = ${JSON.stringify(root)}`];
      const { daemon, rest } = security;
      const folder = work.at(`daemon-${name}`);
      const options = { folder, host, daemon, rest: [...rest, ...module] };
      const started = await startNetDaemon(options);
      if (way === "gRPC fallback") host?.reject(started.dataPort);
      daemons.push(started);
    }
    return new World(way, { work, lab, security, daemons });
  }

  async end(): Promise<void> {
    for (const daemon of this.#daemons) await daemon[Symbol.asyncDispose]();
    this.#lab[Symbol.dispose]();
    this.#work[Symbol.dispose]();
  }

  /** The places of a direction: on disk for the judges, and as they are typed. */
  #places(direction: (typeof DIRECTIONS)[number]) {
    const at = (n: number): string => `${this.#daemons[n]?.at}/m`;
    const { local, a, b } = {
      local: this.#work.at("local"),
      a: this.#work.at("a"),
      b: this.#work.at("b"),
    };
    switch (direction) {
      case "push":
        return { source: `${local}/s`, target: `${a}/t`, from: `${local}/s/`, to: `${at(0)}/t/` };
      case "pull":
        return { source: `${a}/s`, target: `${local}/t`, from: `${at(0)}/s/`, to: `${local}/t/` };
      case "between daemons":
        return { source: `${a}/s`, target: `${b}/t`, from: `${at(0)}/s/`, to: `${at(1)}/t/` };
      case "within a daemon":
        return { source: `${a}/s`, target: `${a}/t`, from: `${at(0)}/s/`, to: `${at(0)}/t/` };
    }
  }

  async check(direction: (typeof DIRECTIONS)[number], verb: (typeof VERBS)[number]) {
    for (const name of ["local", "a", "b"]) {
      removeTree(this.#work.at(name, "s"));
      removeTree(this.#work.at(name, "t"));
    }
    this.#work.folder("local");
    const { source, target, from, to } = this.#places(direction);
    this.#work.folder(source.slice(this.#work.path.length + 1));
    makeTree(source, TREE);
    // A mirror finds an older state there, with things to delete.
    if (verb === "mirror") {
      await this.#run("copy", from, to, direction);
      makeTree(source, CHANGES);
    }
    const before = describeTree(source);
    const kept = verb === "move" ? this.#work.at("kept") : source;
    if (verb === "move") {
      removeTree(kept);
      expect((await runCommand(["cp", "-a", source, kept])).code).toBe(0);
    }
    await this.#run(verb, from, to, direction);
    expect(differences(kept, target)).toBe("");
    expect(describeTree(target)).toEqual(before);
    if (verb === "move") expect(existsSync(source)).toBe(false);
    if (verb === "move") return;
    // Once more: there is nothing to do, and nothing is touched.
    const settled = describeTree(target, "ctime", "inode");
    await this.#run(verb, from, to, direction);
    expect(describeTree(target, "ctime", "inode")).toEqual(settled);
  }

  /** How many warnings are due: each of them tells of a slower way for the data. */
  #warnings(direction: (typeof DIRECTIONS)[number]): number {
    if (this.#way === "gRPC fallback") return 1;
    // No daemon has the client's certificate: between them the client has to relay.
    const isRelayed = direction === "between daemons" || direction === "within a daemon";
    return this.#way === "mTLS and token" && isRelayed ? 1 : 0;
  }

  /** Runs blit on the client's host; it must succeed, and warn of nothing but the way taken. */
  async #run(
    verb: string,
    from: string,
    to: string,
    direction: (typeof DIRECTIONS)[number],
  ): Promise<void> {
    const client = this.#lab.hosts[0];
    const argv = [await binaryPath("blit"), verb, "--yes", ...this.#security.client, from, to];
    const env = { HOME: this.#work.folder("home") };
    const run = await runCommand(client?.on(argv) ?? argv, { env });
    const warnings = run.stderr.split("\n").filter((line) => /^(warning|error)/.test(line));
    if (run.code !== 0) {
      const daemons = this.#daemons.map(({ said }) => said()).join("\n");
      throw new Error(`blit ${verb} ${from} ${to}: exit ${run.code}\n${run.stderr}\n${daemons}`);
    }
    expect(warnings.length, run.stderr).toBe(this.#warnings(direction));
  }
}
