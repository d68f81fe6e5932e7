import type { ControlHandlers } from "../control/calls.ts";
import { delegatedPull } from "./delegated-pull.ts";
import { pull } from "./pull.ts";
import { push } from "./push.ts";
import type { TransferHost } from "./transfer-host.ts";

/** Answers the calls that move files. */
export function createTransferHandlers(
  host: TransferHost,
): Pick<ControlHandlers, "push" | "pull" | "delegatedPull"> {
  return {
    push: (requests, context) => push(host, requests, context),
    pull: (requests, context) => pull(host, requests, context),
    delegatedPull: (requests, context) => delegatedPull(host, requests, context),
  };
}
