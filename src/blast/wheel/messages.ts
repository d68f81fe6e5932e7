import type { FaultJson } from "../../kit/fault/fault.ts";
import type { UnpackJob } from "./unpack.ts";

/** What the store and its threads say to each other: plain data. */

export type ToUnpackWorker = {
  readonly id: number;
  /** The folder of the store's format. */
  readonly store: string;
  readonly job: UnpackJob;
};

export type FromUnpackWorker =
  | { readonly kind: "done"; readonly id: number; readonly sha256: string }
  | { readonly kind: "fault"; readonly id: number; readonly fault: FaultJson }
  | {
      readonly kind: "crashed";
      readonly id: number;
      readonly message: string;
      readonly stack: string;
    };
