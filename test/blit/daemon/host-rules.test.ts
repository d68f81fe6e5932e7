import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type HostResolver,
  type HostRules,
  isHostAllowed,
  isHostRefusedOutright,
  parseAddress,
  parseHostPattern,
  parseHostRules,
} from "../../../src/blit/daemon/host-rules.ts";

function rules(allow: readonly string[] | undefined, deny: readonly string[] = []): HostRules {
  const parsed = parseHostRules(allow, deny);
  if (typeof parsed === "string") throw new Error(`no pattern: ${parsed}`);
  return parsed;
}

/** A name server that knows two hosts, one of which claims a name that is not its own. */
const resolver: HostResolver = {
  addressesOf: async (name) => {
    if (name === "good.lab.example") return ["10.0.0.1", "fd00::1"];
    if (name === "broken.example") throw new Error("SERVFAIL");
    return [];
  },
  namesOf: async (address) => {
    if (address === "10.0.0.1") return ["Good.Lab.Example."];
    if (address === "10.0.0.66") return ["good.lab.example"];
    throw new Error("NXDOMAIN");
  },
};

describe("addresses", () => {
  test.each([
    ["127.0.0.1", [127, 0, 0, 1]],
    ["::ffff:10.0.0.1", [10, 0, 0, 1]],
    ["::ffff:a00:1", [10, 0, 0, 1]],
    ["fe80::1%eth0", [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["::", Array<number>(16).fill(0)],
  ])("%s", (text, bytes) => expect([...(parseAddress(text) ?? [])]).toEqual(bytes));

  test.each(["", "1.2.3", "1.2.3.256", "01.2.3.4", "1::2::3", ":::", "12345::", "1:2:3:4:5:6:7"])(
    "%j is none",
    (text) => expect(parseAddress(text)).toBeUndefined(),
  );

  test("every way to write an IPv6 address that URL knows gives the same bytes", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = parseAddress(text);
        expect(bytes?.length).toBeOneOf([4, 16]);
        // It does not know them all.
        fc.pre(URL.canParse(`http://[${text}]/`));
        const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
        expect(bytes).toEqual(parseAddress(canonical) as Uint8Array);
      }),
    );
  });
});

describe("patterns", () => {
  test.each(["1.2.3.4/33", "1.2.3.4/", "1.2.3.4/-1", "1.2.3.4/8/8", "300.1.1.1", "a b", "", "*"])(
    "%j is none",
    (text) => expect(parseHostPattern(text)).toBeUndefined(),
  );
  test("the first wrong one is named", () => {
    expect(parseHostRules(["10.0.0.0/8"], ["x y"])).toBe("x y");
  });
});

describe("who is let in", () => {
  test.each([
    [undefined, [], "203.0.113.9", true],
    [["10.0.0.0/8"], [], "10.200.3.4", true],
    [["10.0.0.0/8"], [], "11.0.0.1", false],
    [["10.0.0.0/8"], ["10.0.0.0/30"], "10.0.0.3", false],
    [["10.0.0.0/8"], ["10.0.0.0/30"], "10.0.0.4", true],
    [["10.0.0.0/8"], [], "::ffff:10.0.0.1", true],
    [["0.0.0.0/0"], [], "fd00::1", false],
    [["::/0"], [], "10.0.0.1", false],
    [[], [], "127.0.0.1", false],
    [["fd00::/7"], [], "fd12::1", true],
    [undefined, ["0.0.0.0/0"], "no address", false],
    [["good.lab.example"], [], "10.0.0.1", true],
    [["good.lab.example"], [], "fd00::1", true],
    [["good.lab.example"], [], "10.0.0.66", false],
    [["*.lab.example"], [], "10.0.0.1", true],
    // It calls itself so, but the name leads elsewhere.
    [["*.lab.example"], [], "10.0.0.66", false],
    [undefined, ["*.lab.example"], "10.0.0.66", false],
    // What cannot be found out counts against the caller.
    [["broken.example"], [], "10.0.0.1", false],
    [undefined, ["broken.example"], "10.0.0.1", false],
    [undefined, [".other.example"], "10.0.0.1", true],
    [undefined, [".other.example"], "10.0.0.99", false],
  ] as const)("allow %j, deny %j: %s → %p", async (allow, deny, address, isIn) => {
    const both = rules(allow, deny);
    expect(await isHostAllowed(both, address, resolver)).toBe(isIn);
    // The quick answer refuses nobody whom the thorough one lets in.
    if (isIn) expect(isHostRefusedOutright(both, address)).toBe(false);
  });

  test("networks alone are decided at once", () => {
    expect(isHostRefusedOutright(rules(["10.0.0.0/8"]), "192.0.2.1")).toBe(true);
    expect(isHostRefusedOutright(rules(["10.0.0.0/8", "a.example"]), "192.0.2.1")).toBe(false);
    expect(isHostRefusedOutright(rules([]), "192.0.2.1")).toBe(true);
    expect(isHostRefusedOutright(rules(undefined, ["192.0.2.0/24"]), "192.0.2.1")).toBe(true);
  });
});
