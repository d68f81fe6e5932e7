import { describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import fc from "fast-check";
import { SOCKADDR_IN6_LAYOUT, SOCKET } from "../../../ffi/abi/socket.ts";
import { familyOf, socketAddress } from "../../../src/blit/remote/socket-address.ts";

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? new Uint8Array()).toString("hex");
}

describe("struct sockaddr", () => {
  test("IPv4", () => {
    const bytes = socketAddress("192.168.1.255", 9031);
    expect(hex(bytes)).toBe("02002347c0a801ff0000000000000000");
    expect(familyOf(bytes ?? new Uint8Array(2))).toBe(SOCKET.AF_INET);
  });
  test("IPv6 in its spellings", () => {
    const words = (address: string): string => hex(socketAddress(address, 1)).slice(16, 48);
    expect(words("::1")).toBe("00000000000000000000000000000001");
    expect(words("::")).toBe("00000000000000000000000000000000");
    expect(words("2001:db8::ff:0")).toBe("20010db800000000000000000" + "0ff0000");
    expect(words("1:2:3:4:5:6:7:8")).toBe("00010002000300040005000600070008");
    expect(words("::ffff:1.2.3.4")).toBe("00000000000000000000ffff01020304");
    expect(familyOf(socketAddress("::1", 1) ?? new Uint8Array(2))).toBe(SOCKET.AF_INET6);
  });
  test("a zone by number and by name", () => {
    const scope = (address: string): number => {
      const bytes = socketAddress(address, 1) ?? new Uint8Array(28);
      return new DataView(bytes.buffer).getUint32(SOCKADDR_IN6_LAYOUT.scope, true);
    };
    expect(scope("fe80::1%7")).toBe(7);
    expect(scope("fe80::1%none")).toBe(0);
    for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
      const local = addresses.find((each) => (each.scopeid ?? 0) > 0);
      if (local !== undefined) expect(scope(`fe80::1%${name}`)).toBe(local.scopeid ?? 0);
    }
  });
  test("anything else is none", () => {
    for (const text of ["", "localhost", "1.2.3", "1.2.3.4.5", ":::", "1::2::3", "[::1]"]) {
      expect(socketAddress(text, 1)).toBeUndefined();
    }
  });
  test("every IPv6 address keeps its words", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), (words) => {
        const bytes = socketAddress(words.map((word) => word.toString(16)).join(":"), 1);
        const expected = words.map((word) => word.toString(16).padStart(4, "0")).join("");
        expect(hex(bytes).slice(16, 48)).toBe(expected);
      }),
    );
  });
});
