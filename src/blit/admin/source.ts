import type { AdminAnswers, AdminRequest } from "./request.ts";

/** Who answers administrative requests: this machine, or a module of a daemon. */
export type AdminSource = {
  /** @throws {Fault} while it is read */
  run<Request extends AdminRequest>(request: Request): AsyncIterable<AdminAnswers[Request["call"]]>;
};
