import { firstReason, needsProgram } from "../support/skip.ts";
import { unpackedPackage } from "./cache.ts";

const programs = ["qemu-system-x86_64", "apt-get", "dpkg", "cpio", "depmod", "modprobe", "ldd"];

/**
 * A reason when there is no lab. A machine that is emulated takes a while, so it has to be asked
 * for: TRIAD_LAB=short, as bin/test has it, or TRIAD_LAB=1 for everything.
 *
 * @param length `long` for what only TRIAD_LAB=1 runs
 */
export function needsLab(length: "short" | "long" = "short"): string | undefined {
  const wanted = process.env["TRIAD_LAB"] ?? "";
  if (wanted !== "1" && wanted !== "short") return "needs TRIAD_LAB=1";
  if (wanted === "short" && length === "long") return "needs TRIAD_LAB=1, not short";
  return firstReason(needsProgram(...programs), needsPackages());
}

/** Whether the lab is to do everything, or what fits between two commits. */
export function isLabLong(): boolean {
  return process.env["TRIAD_LAB"] === "1";
}

/** Whether Debian's packages can be had, found out with a small one. */
function needsPackages(): string | undefined {
  try {
    unpackedPackage("busybox-static");
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return `needs Debian's packages, and cannot fetch them: ${text.split("\n")[0] ?? ""}`;
  }
}
