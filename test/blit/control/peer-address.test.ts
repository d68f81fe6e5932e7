import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  canonicalAddress,
  hostAndPort,
  isLoopback,
} from "../../../src/blit/control/peer-address.ts";

describe("one spelling for each address", () => {
  const same: Record<string, string> = {
    "192.0.2.1": "192.0.2.1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "::FFFF:c000:0201": "192.0.2.1",
    "0:0:0:0:0:ffff:192.0.2.1": "192.0.2.1",
    "2001:DB8:0:0::1": "2001:db8::1",
    "fe80::1%eth0": "fe80::1",
    "::": "::",
    "no address": "no address",
    "": "",
    "::ffff:300.0.0.1": "::ffff:300.0.0.1",
  };
  for (const [given, canonical] of Object.entries(same)) {
    test(`${given} is ${canonical}`, () => expect(canonicalAddress(given)).toBe(canonical));
  }

  test("every IPv4 address comes back out of its mapped form", () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(canonicalAddress(`::ffff:${address}`)).toBe(address);
      }),
    );
  });

  test("it is a fixed point, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), fc.ipV4(), fc.string()), (address) => {
        const once = canonicalAddress(address);
        expect(canonicalAddress(once)).toBe(once);
      }),
    );
  });
});

test("loopback is 127.0.0.0/8 and ::1, in any spelling, and no name", () => {
  for (const address of ["127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1"]) {
    expect(isLoopback(address)).toBe(true);
  }
  for (const address of ["128.0.0.1", "::2", "::", "localhost", "127.evil.example", "1.127.0.0"]) {
    expect(isLoopback(address)).toBe(false);
  }
});

test("IPv6 stands in brackets before a port", () => {
  expect(hostAndPort("::1", 9031)).toBe("[::1]:9031");
  expect(hostAndPort("nas", 9031)).toBe("nas:9031");
});
