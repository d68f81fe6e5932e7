import { readdirSync } from "node:fs";
import { rdmaCalls } from "../../../ffi/rdma.ts";

/**
 * Whether data may go over RDMA from here: there is a device, and the library. That the other side
 * is reached by it is seen by connecting only.
 */
export function hasRdma(): boolean {
  try {
    if (readdirSync("/sys/class/infiniband").length === 0) return false;
  } catch {
    return false;
  }
  return rdmaCalls() !== undefined;
}
