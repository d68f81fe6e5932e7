import { describe, expect, test } from "bun:test";
import { withReasonOf } from "../../../src/blit/remote/echo.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

function talk() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const state = { over: promise, failure: undefined as unknown };
  return {
    state,
    end: (failure?: unknown) => {
      state.failure = failure;
      resolve();
    },
  };
}

const broken = new Fault({ code: "E_NETWORK", message: "the socket closed" });
const reason = new Fault({ code: "E_NO_SPACE", message: "the disk is full" });

async function messageOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: Error) => error.message,
  );
}

describe("why both a session and its call broke", () => {
  test("work that comes to its end is what it is", async () => {
    const { state } = talk();
    expect(await withReasonOf(state, Promise.resolve(7))).toBe(7);
  });

  test("a call that ends first ends the work", async () => {
    const { state, end } = talk();
    const waiting = messageOf(withReasonOf(state, new Promise(() => {})));
    end(reason);
    expect(await waiting).toBe("the disk is full");
  });

  test("a closed socket waits for what the daemon says about it", async () => {
    const { state, end } = talk();
    const waiting = messageOf(withReasonOf(state, Promise.reject(broken)));
    await Promise.resolve();
    end(reason);
    expect(await waiting).toBe("the disk is full");
  });

  test("an own reason stays, and so does a closed socket without a better one", async () => {
    const first = talk();
    const own = new Fault({ code: "E_STALL", message: "this disk hangs" });
    expect(await messageOf(withReasonOf(first.state, Promise.reject(own)))).toBe("this disk hangs");
    const second = talk();
    second.end(new Fault({ code: "E_NETWORK", message: "gone" }));
    const message = await messageOf(withReasonOf(second.state, Promise.reject(broken)));
    expect(["gone", "the socket closed"]).toContain(message);
  });
});
