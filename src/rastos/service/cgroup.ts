import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { O } from "../../../ffi/abi/constants.ts";
import { errnoText } from "../../../ffi/errno.ts";
import { openHigh } from "./descriptors.ts";

/** Limits of a cgroup. */
export interface CgroupLimits {
  readonly memory?: number | undefined;
  /** Percent of one processor. */
  readonly cpu?: number | undefined;
  readonly pids?: number | undefined;
}

const PERIOD_US = 100_000;

/**
 * The cgroups of services, below `rinit` of a cgroup v2 tree. Everything is best effort: where the
 * tree is read-only or belongs to somebody else, services run without.
 */
export class Cgroups {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param top mount point of cgroup2; undefined where it cannot be used */
  static open(top: string): Cgroups | undefined {
    try {
      // Only a cgroup2 tree has it.
      readFileSync(join(top, "cgroup.controllers"));
      const folder = join(top, "rinit");
      mkdirSync(folder, { recursive: true });
      for (const parent of [top, folder]) enableControllers(parent);
      return new Cgroups(folder);
    } catch {
      return undefined;
    }
  }

  /**
   * Makes the cgroup of a service.
   *
   * @returns an open cgroup.procs for whoever enters it, and what could not be limited
   */
  enter(service: string, limits: CgroupLimits): { fd: number; problems: string[] } {
    const folder = join(this.#folder, service);
    const problems: string[] = [];
    try {
      mkdirSync(folder, { recursive: true });
    } catch {
      return { fd: -1, problems: ["its cgroup cannot be made"] };
    }
    for (const [file, value] of limitFiles(limits)) {
      try {
        writeFileSync(join(folder, file), value);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "";
        problems.push(`${file} cannot be set to ${value}: ${code}`);
      }
    }
    const fd = openHigh(join(folder, "cgroup.procs"), O.WRONLY);
    if (fd < 0) problems.push(`its cgroup cannot be entered: ${errnoText(-fd)}`);
    return { fd, problems };
  }

  /** Who is in the cgroup of a service. */
  members(service: string): number[] {
    const text = this.#read(service, "cgroup.procs") ?? "";
    return text.split("\n").filter(Boolean).map(Number);
  }

  /** Memory of all its processes in bytes. */
  memory(service: string): number | undefined {
    const text = this.#read(service, "memory.current");
    return text === undefined ? undefined : Number(text);
  }

  /** Removes the cgroup, once nobody is in it. */
  remove(service: string): void {
    try {
      rmdirSync(join(this.#folder, service));
    } catch {
      // Somebody is still in it; the next start uses it again.
    }
  }

  #read(service: string, file: string): string | undefined {
    try {
      return readFileSync(join(this.#folder, service, file), "utf8").trim();
    } catch {
      return undefined;
    }
  }
}

function enableControllers(folder: string): void {
  for (const name of ["memory", "cpu", "pids"]) {
    try {
      writeFileSync(join(folder, "cgroup.subtree_control"), `+${name}`);
    } catch {
      // This kernel has it not, or has it elsewhere: limits that need it are told when they fail.
    }
  }
}

function limitFiles({ memory, cpu, pids }: CgroupLimits): [file: string, value: string][] {
  return [
    ["memory.max", memory === undefined ? "max" : `${memory}`],
    ["cpu.max", cpu === undefined ? "max" : `${Math.round((cpu * PERIOD_US) / 100)} ${PERIOD_US}`],
    ["pids.max", pids === undefined ? "max" : `${pids}`],
  ].filter((entry): entry is [string, string] => entry[1] !== "max");
}
