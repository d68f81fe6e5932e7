import { ptr } from "bun:ffi";
import { RLIMIT } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import type { ResourceLimit } from "./launch.ts";

/** Numbers of resources: asm-generic/resource.h. */
const RESOURCES = {
  file_size: 1,
  stack: 3,
  core: 4,
  nproc: 6,
  nofile: RLIMIT.NOFILE,
  memlock: 8,
  address_space: 9,
} as const;

/** Open files of a program that asks for no more: beyond it, select(2) does not work. */
const NOFILE_SOFT = 1024n;

/** The limits that a service file asks for, and that for open files, which Bun has raised. */
export function resourceLimits(
  wishes: Readonly<Partial<Record<keyof typeof RESOURCES, number | undefined>>>,
): ResourceLimit[] {
  const limits: ResourceLimit[] = [];
  for (const [name, resource] of Object.entries(RESOURCES)) {
    const wish = wishes[name as keyof typeof RESOURCES];
    if (wish !== undefined) limits.push({ resource, soft: BigInt(wish), hard: BigInt(wish) });
  }
  if (wishes.nofile === undefined) {
    const hard = hardLimit(RLIMIT.NOFILE);
    limits.push({ resource: RLIMIT.NOFILE, soft: NOFILE_SOFT < hard ? NOFILE_SOFT : hard, hard });
  }
  return limits;
}

function hardLimit(resource: number): bigint {
  const words = new BigUint64Array(2);
  if (sys.getrlimit(resource, ptr(words)) < 0) return NOFILE_SOFT;
  return words[1] ?? NOFILE_SOFT;
}
