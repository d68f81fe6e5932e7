import { existsSync, readFileSync, statfsSync } from "node:fs";
import { cpus, totalmem, uptime } from "node:os";

/** What a machine is, as far as its kernel says. */
export interface MachineInfo {
  readonly hostname: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly memoryFreeBytes: number;
  readonly uptimeSeconds: number;
  /** `uefi` or `bios`. */
  readonly firmware: string;
  /** The loader that started it, if it has said so. */
  readonly loader: string | undefined;
  /** Name of the first process. */
  readonly init: string | undefined;
}

/** @param root for tests: a folder in the place of / */
export function readMachine(root = "/"): MachineInfo {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(`${root}${path}`, "utf8");
    } catch {
      return undefined;
    }
  };
  const memory = read("proc/meminfo") ?? "";
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(memory)?.[1];
  const total = /^MemTotal:\s+(\d+) kB/m.exec(memory)?.[1];
  const model = /^model name\s*:\s*(.*)$/m.exec(read("proc/cpuinfo") ?? "")?.[1];
  return {
    hostname: (read("proc/sys/kernel/hostname") ?? "").trim(),
    kernel: (read("proc/sys/kernel/osrelease") ?? "").trim(),
    architecture: process.arch === "arm64" ? "aarch64" : "x86_64",
    processor: model ?? cpus()[0]?.model ?? "unknown",
    processors: cpus().length,
    memoryBytes: total === undefined ? totalmem() : Number(total) * 1024,
    memoryFreeBytes: Number(available ?? 0) * 1024,
    uptimeSeconds: Math.floor(uptime()),
    firmware: existsSync(`${root}sys/firmware/efi`) ? "uefi" : "bios",
    loader: loaderName(root),
    init: read("proc/1/comm")?.trim(),
  };
}

/** LoaderInfo of the Boot Loader Interface: 4 bytes of attributes, then UTF-16. */
function loaderName(root: string): string | undefined {
  const name = "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
  try {
    const bytes = readFileSync(`${root}sys/firmware/efi/efivars/${name}`);
    const text = bytes.subarray(4).toString("utf16le").replaceAll("\0", "").trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Bytes of a file system. */
export interface SpaceInfo {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

/** The room on the file system of a folder; undefined where there is none. */
export function readSpace(path: string): SpaceInfo | undefined {
  try {
    const { bsize, blocks, bavail } = statfsSync(path);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}
