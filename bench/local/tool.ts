import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Scenario } from "./scenario.ts";
import { command } from "./volume.ts";

/** One piece of work: a folder, what to do with it, and where to. */
export interface Job {
  readonly scenario: Scenario;
  /** The folder of the set, without a slash at the end. */
  readonly source: string;
  readonly target: string;
}

/** One tool with the flags that its users would give for a job. */
export interface Tool {
  readonly id: string;
  readonly label: string;
  readonly path: string;
  readonly version: string;
  /** The command line, or undefined when the tool has no way to do this job. */
  argv(job: Job): string[] | undefined;
}

/** Where the two executables are that no package manager brought. */
export interface Executables {
  readonly blit: string;
  readonly original: string;
}

/** The tools of this machine, blit first. @throws Error when blit or cp is not there */
export function findTools(executables: Executables): Tool[] {
  if (!existsSync(executables.blit)) {
    throw new Error(`Cannot find ${JSON.stringify(executables.blit)}: bun run build.ts makes it`);
  }
  const tools = [blit(executables.blit), copyCommand(), rsync()];
  if (Bun.which("rclone") !== null) tools.push(rclone(), tunedRclone());
  if (existsSync(executables.original)) tools.push(original(executables.original));
  return tools;
}

function blit(path: string): Tool {
  return {
    id: "blit",
    label: "blit",
    path,
    version: versionOf([path, "--version"]),
    argv: (job) => {
      const { task } = job.scenario;
      const verb = task === "mirror" || task === "checksum" ? "mirror" : "copy";
      const flags = task === "checksum" ? ["--checksum"] : [];
      return [path, verb, "--yes", ...flags, ...endpoints(job)];
    },
  };
}

function copyCommand(): Tool {
  return {
    id: "cp",
    label: "cp -a",
    path: "cp",
    version: versionOf(["cp", "--version"]),
    argv: (job) => {
      const { task } = job.scenario;
      if (task === "mirror" || task === "checksum") return undefined;
      const flags = task === "again" ? "-au" : "-a";
      if (task === "file") return ["cp", flags, onlyFile(job.source), `${job.target}/`];
      return ["cp", flags, `${job.source}/.`, job.target];
    },
  };
}

function rsync(): Tool {
  return {
    id: "rsync",
    label: "rsync -a",
    path: "rsync",
    version: versionOf(["rsync", "--version"]),
    argv: (job) => {
      const { task, set } = job.scenario;
      const flags = ["-a"];
      if (set === "sparse") flags.push("-S");
      if (task === "checksum") flags.push("-c");
      if (task === "mirror" || task === "checksum") flags.push("--delete");
      return ["rsync", ...flags, ...endpoints(job)];
    },
  };
}

function rclone(tuning: readonly string[] = []): Tool {
  return {
    id: tuning.length === 0 ? "rclone" : "rclone-tuned",
    label: tuning.length === 0 ? "rclone" : "rclone tuned",
    path: "rclone",
    version: versionOf(["rclone", "version"]),
    argv: (job) => {
      const { task, set } = job.scenario;
      // It knows no holes: it would fill the disk with zeros.
      if (set === "sparse") return undefined;
      const verb = task === "mirror" || task === "checksum" ? "sync" : "copy";
      const flags = task === "checksum" ? ["--checksum"] : [];
      const from = task === "file" ? onlyFile(job.source) : job.source;
      return ["rclone", verb, ...flags, ...tuning, from, job.target];
    },
  };
}

/** More at a time, and no 16 MiB buffer for each file. */
function tunedRclone(): Tool {
  return rclone(["--transfers=16", "--checkers=16", "--buffer-size=0"]);
}

function original(path: string): Tool {
  return {
    id: "original",
    label: "original Blit",
    path,
    version: `original ${versionOf([path, "--version"])}`,
    argv: (job) => {
      const { task } = job.scenario;
      const verb = task === "mirror" || task === "checksum" ? "mirror" : "copy";
      const flags = task === "checksum" ? ["--checksum"] : [];
      return [path, verb, "--yes", ...flags, ...endpoints(job)];
    },
  };
}

/** Source and target in rsync's notation: a slash at the end means the contents. */
function endpoints(job: Job): [string, string] {
  if (job.scenario.task === "file") return [onlyFile(job.source), `${job.target}/`];
  return [`${job.source}/`, `${job.target}/`];
}

function onlyFile(folder: string): string {
  const [name] = readdirSync(folder);
  if (name === undefined)
    throw new Error(`Cannot copy from ${JSON.stringify(folder)}: it is empty`);
  return join(folder, name);
}

function versionOf(argv: readonly string[]): string {
  return command(argv).split("\n")[0]?.trim().replace(/\s+/g, " ") ?? "";
}
