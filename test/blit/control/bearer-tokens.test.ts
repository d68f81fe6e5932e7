import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseTokenTable, tokenLine, tokenOwner } from "../../../src/blit/control/bearer-tokens.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

const FILE = "/etc/blit/tokens";

describe("a token file", () => {
  test("holds names and hashes, and comments", () => {
    const token = "blit_0123456789";
    const text = `# people\n\n  ${tokenLine("alice", token)}  \r\n${tokenLine("bob", "x")}\n`;
    const table = parseTokenTable(text, FILE);
    expect([...table.values()]).toEqual(["alice", "bob"]);
    expect(text).not.toContain(token);
    expect(tokenOwner(table, `Bearer ${token}`)).toBe("alice");
    expect(tokenOwner(table, "bearer x")).toBe("bob");
  });

  test("the hash is what sha256sum prints", () => {
    expect(tokenLine("a", "abc")).toBe(
      "a:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  test("a line that is not understood is told with its number, without what is in it", () => {
    for (const line of ["alice", "alice:abc", "a b:0", "alice:plain-secret", ":".repeat(9)]) {
      try {
        parseTokenTable(`# one\n${line}\n`, FILE);
        throw new Error("taken");
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
        expect((error as Fault).code).toBe("E_CONFIG");
        expect((error as Fault).message).toContain("line 2");
        expect((error as Fault).message).not.toContain("plain-secret");
      }
    }
  });

  test("is a table or a Fault, whatever it holds", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseTokenTable(text, FILE);
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
        }
      }),
    );
  });
});

test("headers that are no token belong to nobody", () => {
  const table = parseTokenTable(tokenLine("alice", "x"), FILE);
  for (const header of [null, "", "x", "Basic x", "Bearer", "Bearer ", "Bearer  x", "Bearer x y"]) {
    expect(tokenOwner(table, header)).toBeUndefined();
  }
  expect(tokenOwner(table, `Bearer ${"x".repeat(1_000_000)}`)).toBeUndefined();
});
