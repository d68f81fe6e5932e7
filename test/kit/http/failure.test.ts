import { expect, test } from "bun:test";

import { failureOf } from "../../../src/kit/http/failure.ts";

test("what fetch throws, by kind", () => {
  const kinds = ["ENOTFOUND", "ECONNREFUSED", "ECONNRESET", "DEPTH_ZERO_SELF_SIGNED_CERT", "X"].map(
    (code) => failureOf(Object.assign(new Error("words"), { code }), "https://a.example:8/x"),
  );
  expect(kinds.map(({ kind, message }) => [kind, message])).toEqual([
    ["dns", "the host name is not known"],
    ["connect", "connection refused"],
    ["broken", "the connection broke"],
    ["tls", "the certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)"],
    ["broken", "words"],
  ]);
  expect(kinds[0]?.host).toBe("a.example:8");
});

test("a failure stays the one it is", () => {
  const failure = failureOf(new Error("x"), "http://a/");
  expect(failureOf(failure, "http://b/")).toBe(failure);
});
