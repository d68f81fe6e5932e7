import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { KernelFacts } from "./config-file.ts";

/** A folder with the sources of a kernel. */
export interface KernelSource extends KernelFacts {
  readonly folder: string;
  /** `6.1.192`, with what EXTRAVERSION adds: `6.19.0-rc1`. */
  readonly versionText: string;
}

/** Architectures whose folder under arch/ has another name than `uname -m` gives them. */
const SOURCE_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "x86",
  ia32: "x86",
  arm64: "arm64",
  arm: "arm",
  riscv64: "riscv",
  ppc64: "powerpc",
  s390x: "s390",
  loong64: "loongarch",
};

/**
 * Looks at a folder of kernel sources.
 *
 * @throws {Fault} E_NOT_FOUND where there are none; E_REFUSED where somebody has built in them:
 *   make refuses to build elsewhere then
 */
export function openSource(folder: string): KernelSource {
  const makefile = readMakefile(folder);
  const field = (name: string): string =>
    new RegExp(`^${name} *= *(.*)$`, "m").exec(makefile)?.[1]?.trim() ?? "";
  const numbers = ["VERSION", "PATCHLEVEL", "SUBLEVEL"].map(field);
  if (numbers.some((number) => !/^\d+$/.test(number)) || !existsSync(join(folder, "Kconfig"))) {
    throw noSource(folder, "its Makefile is not that of a kernel");
  }
  if (existsSync(join(folder, ".config")) || existsSync(join(folder, "include/config"))) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot build from "${folder}": a kernel has been built in that folder itself`,
      hint: `save its .config if you want it, then run "make mrproper" there`,
    });
  }
  return {
    folder,
    version: numbers.map(Number),
    versionText: numbers.join(".") + field("EXTRAVERSION"),
    sourceArchitecture: SOURCE_ARCHITECTURES[process.arch] ?? process.arch,
  };
}

function readMakefile(folder: string): string {
  try {
    return readFileSync(join(folder, "Makefile"), "utf8");
  } catch {
    const isThere = existsSync(folder);
    throw noSource(folder, isThere ? "it has no Makefile" : "there is no such folder");
  }
}

function noSource(folder: string, why: string): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find the sources of a kernel in "${folder}": ${why}`,
    hint: "unpack a kernel and name its folder with --source",
  });
}
