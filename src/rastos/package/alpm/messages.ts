import type { FaultJson } from "../../../kit/fault/fault.ts";
import type { PackageEvent, PackageRootOptions } from "../types.ts";
import type { PackageJob, PackageJobResult } from "./jobs.ts";

/** To the thread of libalpm: one job. */
export interface PackageToWorker {
  readonly options: PackageRootOptions;
  readonly job: PackageJob;
}

/** From the thread of libalpm. */
export type PackageFromWorker =
  | { readonly kind: "event"; readonly event: PackageEvent }
  /** alpm_handle_t, in the memory that all threads share. */
  | { readonly kind: "handle"; readonly handle: number }
  | { readonly kind: "done"; readonly result: PackageJobResult }
  | { readonly kind: "failed"; readonly fault: FaultJson };
