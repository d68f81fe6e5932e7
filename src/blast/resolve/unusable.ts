import { Fault } from "../../kit/fault/fault.ts";

/**
 * Thrown by an index's `metadata` when what a file says of itself can't be used: the resolver goes
 * on with other versions. Everything else that is thrown ends the resolution.
 */
export class MetadataUnusable extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = "MetadataUnusable";
  }
}

/**
 * Why an error speaks against one version only: a {@link MetadataUnusable}, or a fault of the index
 * that is marked as being about metadata. Undefined for everything else.
 */
export function unusableReason(error: unknown): string | undefined {
  if (error instanceof MetadataUnusable) return error.message;
  if (!(error instanceof Fault) || error.details["metadata"] !== true) return undefined;
  const { reason } = error.details;
  return typeof reason === "string" ? reason : error.message;
}
