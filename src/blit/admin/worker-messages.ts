import type { FaultJson } from "../../kit/fault/fault.ts";
import type { Base, Confinement } from "../session/types.ts";
import type { AdminChunk, AdminRequest } from "./request.ts";

/** What the thread of an administrative request is told. */
export type AdminToWorker =
  | {
      readonly kind: "start";
      readonly base: Base;
      readonly confine: Confinement | undefined;
      readonly request: AdminRequest;
    }
  /** It may send so many parts more. */
  | { readonly kind: "credit"; readonly chunks: number }
  /** Nobody wants more; it still answers "done". */
  | { readonly kind: "cancel" };

/** What it answers. */
export type AdminFromWorker =
  | { readonly kind: "chunk"; readonly chunk: AdminChunk }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly fault: FaultJson };
