import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../local/volume.ts";
import type { Link } from "./link.ts";
import type { Scenario } from "./scenario.ts";
import { freePort } from "./server.ts";

/** One piece of work: what to do, and where both sides' folders are on this machine. */
export interface Job {
  readonly scenario: Scenario;
  /** The volume, which every server offers; `source` and `target` are folders on it. */
  readonly root: string;
  readonly source: string;
  readonly target: string;
}

/** Where a tool's server listens and keeps its files. */
export interface Seat {
  readonly link: Link;
  readonly port: number;
  /** A folder of its own, not on the volume. */
  readonly folder: string;
  readonly root: string;
}

/** One tool with the flags that its users would give for a job. */
export interface Tool {
  readonly id: string;
  readonly label: string;
  readonly version: string;
  /** The server's command line, after its files are written; undefined = it needs none. */
  server(seat: Seat): string[] | undefined;
  /** The client's, or undefined when the tool has no way to do this job. */
  client(job: Job, seat: Seat): string[] | undefined;
}

/** Where the executables are that no package manager brought. */
export interface Executables {
  readonly blit: string;
  readonly blitd: string;
  readonly original: string;
  readonly originalDaemon: string;
  /** Where the reference is compiled to. */
  readonly scratch: string;
}

/** The tools of this machine, blit first. @throws Error when blit or rsync is not there */
export function findTools(executables: Executables): Tool[] {
  for (const path of [executables.blit, executables.blitd]) {
    if (!existsSync(path)) {
      throw new Error(`Cannot find ${JSON.stringify(path)}: bun run build.ts makes it`);
    }
  }
  const tools = [blit(executables, false), blit(executables, true), rsync()];
  if (Bun.which("rclone") !== null) tools.push(rclone());
  if (existsSync(executables.original) && existsSync(executables.originalDaemon)) {
    tools.push(original(executables));
  }
  if (Bun.which("cc") !== null) tools.push(reference(executables.scratch));
  return tools;
}

/** Not peers: blit itself, and what C can do. */
export const OWN_TOOLS: readonly string[] = ["blit", "blit-tls", "reference"];

function blit({ blit: client, blitd }: Executables, isEncrypted: boolean): Tool {
  return {
    id: isEncrypted ? "blit-tls" : "blit",
    label: isEncrypted ? "blit TLS" : "blit",
    version: versionOf([client, "--version"]),
    server: ({ link, port, folder, root }) => {
      const config = join(folder, "config.toml");
      const lines = ["[daemon]", `bind = "${link.address}"`, `port = ${port}`, "no_mdns = true"];
      if (isEncrypted) lines.push("[daemon.tls]", "enabled = true");
      lines.push("[[module]]", 'name = "bench"', `path = "${root}"`);
      writeFileSync(config, `${lines.join("\n")}\n`);
      return [blitd, "--config", config];
    },
    client: (job, seat) => {
      const remote = `${seat.link.address}:${seat.port}:/bench`;
      const flags = isEncrypted ? ["--yes", "--accept-new"] : ["--yes"];
      return [client, "copy", ...flags, ...endpoints(job, remote)];
    },
  };
}

function rsync(): Tool {
  return {
    id: "rsync",
    label: "rsync daemon",
    version: versionOf(["rsync", "--version"]),
    server: ({ link, port, folder, root }) => {
      const config = join(folder, "rsyncd.conf");
      const lines = ["use chroot = no", "uid = 0", "gid = 0", "[bench]", `path = ${root}`];
      writeFileSync(config, `${[...lines, "read only = no"].join("\n")}\n`);
      const where = [`--address=${link.address}`, `--port=${port}`];
      return ["rsync", "--daemon", "--no-detach", `--config=${config}`, ...where];
    },
    client: (job, { link, port }) => {
      return ["rsync", "-a", ...endpoints(job, `rsync://${link.address}:${port}/bench`)];
    },
  };
}

function rclone(): Tool {
  return {
    id: "rclone",
    label: "rclone webdav",
    version: versionOf(["rclone", "version"]),
    server: ({ link, port, root }) => {
      return ["rclone", "serve", "webdav", root, "--addr", `${link.address}:${port}`];
    },
    client: ({ scenario, source, target }, { link, port }) => {
      // It sends changed files whole, and sees no change without a time: nothing to compare.
      if (scenario.task === "delta") return undefined;
      const remote = `:webdav,url="http://${link.address}:${port}":`;
      const file = scenario.task === "file" ? `/${onlyFile(source)}` : "";
      return scenario.direction === "push"
        ? ["rclone", "copy", `${source}${file}`, `${remote}target`]
        : ["rclone", "copy", `${remote}source${file}`, target];
    },
  };
}

function original({ original: client, originalDaemon }: Executables): Tool {
  return {
    id: "original",
    label: "original Blit",
    version: `original ${versionOf([client, "--version"])}`,
    server: ({ link, port, folder, root }) => {
      const config = join(folder, "config.toml");
      const lines = ["[daemon]", `bind = "${link.address}"`, `port = ${port}`, "no_mdns = true"];
      lines.push("[[module]]", 'name = "bench"', `path = "${root}"`, "read_only = false");
      writeFileSync(config, `${lines.join("\n")}\n`);
      return [originalDaemon, "--config", config];
    },
    client: (job, { link, port }) => {
      return [client, "copy", "--yes", ...endpoints(job, `${link.address}:${port}:/bench`)];
    },
  };
}

/** sendfile and splice over loopback, in C. */
function reference(scratch: string): Tool {
  const path = join(scratch, "reference");
  command(["cc", "-O2", "-o", path, join(import.meta.dir, "reference.c")]);
  return {
    id: "reference",
    label: "C sendfile + splice",
    version: versionOf(["cc", "--version"]),
    server: () => undefined,
    client: ({ scenario, source, target }, { link }) => {
      if (scenario.task !== "file" || link.kind !== "loopback") return undefined;
      const name = onlyFile(source);
      return [path, join(source, name), join(target, name)];
    },
  };
}

/** Source and target in rsync's notation: a slash at the end means the contents. */
function endpoints({ scenario, source, target }: Job, remote: string): [string, string] {
  const isFile = scenario.task === "file" || scenario.task === "delta";
  const rest = isFile ? `/${onlyFile(source)}` : "/";
  return scenario.direction === "push"
    ? [`${source}${rest}`, `${remote}/target/`]
    : [`${remote}/source${rest}`, `${target}/`];
}

export function onlyFile(folder: string): string {
  const [name] = readdirSync(folder);
  if (name === undefined) throw new Error(`${JSON.stringify(folder)} is empty`);
  return name;
}

function versionOf(argv: readonly string[]): string {
  return command(argv).split("\n")[0]?.trim().replace(/\s+/g, " ") ?? "";
}

/** A seat for a tool's server. */
export function newSeat(link: Link, folder: string, root: string): Seat {
  mkdirSync(folder, { recursive: true });
  return { link, port: freePort(), folder, root };
}
