import type { Base } from "../session/types.ts";
import { paced } from "./pace.ts";
import type { AdminAnswers, AdminRequest } from "./request.ts";
import { answer } from "./request.ts";

/**
 * Answers a request: on this thread, with turns for the event loop, or on one of its own where the
 * base says that whoever works below it gives up rights.
 *
 * @throws {Fault} what the request meets
 */
export async function* runAdmin<Request extends AdminRequest>(
  base: Base,
  request: Request,
  signal?: AbortSignal,
): AsyncGenerator<AdminAnswers[Request["call"]]> {
  if (base.confine === undefined) {
    yield* paced(answer(base, request), signal);
    return;
  }
  const { runConfined } = await import("./confined.ts");
  yield* runConfined(base, request, signal);
}
