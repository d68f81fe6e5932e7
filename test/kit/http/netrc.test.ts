import { expect, test } from "bun:test";
import fc from "fast-check";

import { Netrc } from "../../../src/kit/http/netrc.ts";

const TEXT = `
# machine commented.example login no password no
machine one.example login me password s3cret
machine two.example
  login "with space"
  account unused
  password "qu\\"oted"
macdef init
machine macro.example login no password no

machine One.Example login other password second
machine hash.example login #me password #1
default login anonymous password guest
`;

test("finds the login of a host, and default for the rest", () => {
  const netrc = new Netrc(TEXT);
  expect(netrc.find("one.example")).toMatchObject({ username: "me", password: "s3cret" });
  expect(netrc.find("ONE.example", "other")).toMatchObject({ password: "second" });
  expect(netrc.find("two.example")).toMatchObject({
    username: "with space",
    password: 'qu"oted',
  });
  expect(netrc.find("hash.example")).toMatchObject({ username: "#me", password: "#1" });
  expect(netrc.find("macro.example")).toMatchObject({ username: "anonymous" });
  expect(netrc.find("commented.example")).toMatchObject({ username: "anonymous" });
  expect(netrc.find("one.example", "nobody")).toBeUndefined();
});

test("nothing is found in nothing", () => {
  expect(new Netrc("").find("one.example")).toBeUndefined();
  expect(new Netrc("machine").find("one.example")).toBeUndefined();
});

test("any text is read without failing", () => {
  const words = fc.constantFrom(
    "machine",
    "login",
    "password",
    "default",
    "macdef",
    "\n",
    '"',
    "a",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string())), (parts) => {
      new Netrc(parts.join(" ")).find("a");
    }),
  );
});
