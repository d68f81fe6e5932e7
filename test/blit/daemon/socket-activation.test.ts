import { expect, test } from "bun:test";
import { handedOverSockets } from "../../../src/blit/daemon/socket-activation.ts";

const none = { control: undefined, data: undefined };

test.each([
  [{}, none],
  [{ LISTEN_FDS: "1" }, none],
  [{ LISTEN_FDS: "1", LISTEN_PID: "8" }, none],
  [{ LISTEN_FDS: "x", LISTEN_PID: "7" }, none],
  [
    { LISTEN_FDS: "1", LISTEN_PID: "7" },
    { control: 3, data: undefined },
  ],
  [
    { LISTEN_FDS: "2", LISTEN_PID: "7" },
    { control: 3, data: 4 },
  ],
  [
    { LISTEN_FDS: "2", LISTEN_PID: "7", LISTEN_FDNAMES: "data:control" },
    { control: 4, data: 3 },
  ],
  [
    { LISTEN_FDS: "2", LISTEN_PID: "7", LISTEN_FDNAMES: "control:data" },
    { control: 3, data: 4 },
  ],
  [
    { LISTEN_FDS: "2", LISTEN_PID: "7", LISTEN_FDNAMES: "blitd:blitd" },
    { control: 3, data: 4 },
  ],
])("%j", (environment, sockets) => {
  expect(handedOverSockets(environment, 7)).toEqual(sockets);
});

test("more than two are refused", () => {
  expect(() => handedOverSockets({ LISTEN_FDS: "3", LISTEN_PID: "7" }, 7)).toThrow("3 sockets");
});
