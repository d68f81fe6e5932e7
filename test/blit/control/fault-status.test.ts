import { expect, test } from "bun:test";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  failureOf,
  faultOfFailure,
  faultOfStatus,
  statusOf,
} from "../../../src/blit/control/fault-status.ts";
import { FAULT_CODES, type FaultCode } from "../../../src/kit/fault/codes.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

test("every code has a status that clients of any make understand", () => {
  for (const code of Object.keys(FAULT_CODES) as FaultCode[]) {
    const status = statusOf(new Fault({ code, message: "m", hint: "h" }));
    expect(Code[status.code]).toBeDefined();
    expect(status.rawMessage).toBe("m");
  }
});

test("statuses of daemons that are none of ours are told in words", () => {
  const told: [Code, FaultCode][] = [
    [Code.Canceled, "E_INTERRUPTED"],
    [Code.DeadlineExceeded, "E_STALL"],
    [Code.Unauthenticated, "E_AUTH"],
    [Code.PermissionDenied, "E_PRIVILEGE"],
    [Code.NotFound, "E_NOT_FOUND"],
    [Code.Unimplemented, "E_NETWORK"],
    [Code.ResourceExhausted, "E_REFUSED"],
    [Code.DataLoss, "E_INTEGRITY"],
    [Code.Unavailable, "E_NETWORK"],
    [Code.Unknown, "E_NETWORK"],
  ];
  for (const [status, code] of told) {
    expect(faultOfStatus(new ConnectError("x", status), "nas:9031").code).toBe(code);
  }
  expect(faultOfStatus(new Error("boom"), "nas:9031").message).toContain("boom");
});

test("what a peer says about itself does not decide how this side exits", () => {
  const say = (code: string) => faultOfFailure({ code, message: "m", hint: "" });
  expect(say("E_TERMINATED").code).toBe("E_NETWORK");
  expect(say("E_INTERRUPTED").code).toBe("E_NETWORK");
  expect(say("toString").code).toBe("E_NETWORK");
  expect(say("E_NO_SPACE")).toMatchObject({ code: "E_NO_SPACE", hint: undefined });
});

test("long texts are cut on both ways", () => {
  const long = "x".repeat(1_000_000);
  const failure = failureOf(new Fault({ code: "E_IO", message: long, hint: long }));
  expect(failure.message.length).toBeLessThan(5000);
  expect(faultOfFailure({ code: "E_IO", message: long, hint: long }).message.length).toBeLessThan(
    5000,
  );
});
