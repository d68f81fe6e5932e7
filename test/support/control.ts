import { create } from "@bufbuild/protobuf";
import type { ControlHandlers } from "../../src/blit/control/calls.ts";
import { PingResponseSchema } from "../../src/blit/control/proto/blit_pb.js";
import { Fault } from "../../src/kit/fault/fault.ts";

function refused(): AsyncIterable<never> {
  const next = async (): Promise<never> => {
    throw new Fault({ code: "E_REFUSED", message: "not in this test" });
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** Handlers of a daemon that does nothing, but for those that a test brings. */
export function testHandlers(own: Partial<ControlHandlers> = {}): ControlHandlers {
  const refuse = async (): Promise<never> => {
    throw new Fault({ code: "E_REFUSED", message: "not in this test" });
  };
  return {
    ping: async () =>
      create(PingResponseSchema, {
        wireVersion: 1,
        software: "test",
        host: "here",
        moduleCount: 2,
      }),
    push: refused,
    pull: refused,
    delegatedPull: refused,
    list: refused,
    find: refused,
    diskUsage: refused,
    filesystemStats: refuse,
    purge: refused,
    listJobs: refuse,
    watchJob: refused,
    cancelJob: refuse,
    ...own,
  };
}
