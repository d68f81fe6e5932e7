import { describe, expect, test } from "bun:test";

import { Credentials, splitCredentials } from "../../../src/blast/index/credentials.ts";
import { createWorkspace } from "../../support/workspace.ts";

type Environment = Record<string, string>;

function credentials(environment: Environment = {}): Credentials {
  return new Credentials({ HOME: "/nonexistent", ...environment }, "disabled");
}

function sent(from: Credentials, url: string): string | undefined {
  const header = from.authorize(new URL(url));
  return header === undefined ? undefined : atob(header.replace("Basic ", ""));
}

test("a URL without its credentials, and they without it", () => {
  expect(splitCredentials("https://a%40b:p%3Aw@h.example:8/x?y#z")).toEqual({
    url: "https://h.example:8/x?y#z",
    username: "a@b",
    password: "p:w",
  });
  expect(splitCredentials("./folder")).toMatchObject({ url: "./folder", username: undefined });
  expect(splitCredentials("https://%zz@h.example/").username).toBe("%zz");
});

describe("credentials of a URL", () => {
  test("go to the same server and nowhere else", () => {
    const all = credentials();
    expect(all.add("https://me:pw@h.example/simple/")).toBe("https://h.example/simple/");
    expect(sent(all, "https://h.example/files/x.whl")).toBe("me:pw");
    for (const other of [
      "https://other.example/simple/",
      "http://h.example/simple/",
      "https://h.example:8443/",
      "https://sub.h.example/",
    ]) {
      expect(sent(all, other)).toBeUndefined();
    }
  });

  test("without password are a token", () => {
    const all = credentials();
    all.add("https://token@h.example/");
    expect(sent(all, "https://h.example/x")).toBe("token:");
  });

  test("of two places on one server go by the path", () => {
    const all = credentials();
    all.add("https://a:1@h.example/projects/1/simple/");
    all.add("https://b:2@h.example/projects/2/simple/");
    expect(sent(all, "https://h.example/projects/1/simple/foo/")).toBe("a:1");
    expect(sent(all, "https://h.example/projects/2/files/x.whl")).toBe("b:2");
  });

  test("from http go along to https on the same host", () => {
    const all = credentials();
    all.add("http://a:1@h.example/simple/");
    expect(sent(all, "https://h.example/simple/")).toBe("a:1");
  });
});

test("the environment tells by the index's name", () => {
  const all = credentials({
    BLAST_INDEX_MY_OWN_USERNAME: "me",
    BLAST_INDEX_MY_OWN_PASSWORD: "pw",
    UV_INDEX_OTHER_PASSWORD: "token",
  });
  all.add("https://one.example/simple/", "my-own");
  all.add("https://two.example/simple/", "other");
  all.add("https://a:b@three.example/simple/", "my-own");
  all.add("https://four.example/simple/");
  expect(sent(all, "https://one.example/x")).toBe("me:pw");
  expect(sent(all, "https://two.example/x")).toBe(":token");
  expect(sent(all, "https://three.example/x")).toBe("a:b");
  expect(sent(all, "https://four.example/x")).toBeUndefined();
});

describe("netrc", () => {
  const text = "machine h.example login me password pw\nmachine two.example login a password b\n";

  test("lies in the home folder under two names, or where NETRC says", () => {
    using work = createWorkspace();
    work.write("dot/.netrc", text);
    work.write("low/_netrc", text);
    const file = work.write("elsewhere", text);
    for (const environment of [
      { HOME: work.at("dot") },
      { HOME: work.at("low") },
      { NETRC: file },
    ]) {
      expect(sent(credentials(environment), "https://h.example/simple/")).toBe("me:pw");
    }
    expect(sent(credentials({ HOME: work.path }), "https://h.example/")).toBeUndefined();
  });

  test("completes a user without password, and does not replace what a URL says", () => {
    using work = createWorkspace();
    const all = credentials({ NETRC: work.write("netrc", text) });
    all.add("https://me@h.example/");
    all.add("https://other:1@two.example/");
    expect(sent(all, "https://h.example/")).toBe("me:pw");
    expect(sent(all, "https://two.example/")).toBe("other:1");
  });
});

describe("keyring", () => {
  const SCRIPT = `#!/bin/sh
echo "$@" >> "$LOG"
case "$*" in
  "--mode creds get https://h.example/simple/") printf 'found\\nsecret\\n' ;;
  "get other.example me") echo by-host ;;
  *) exit 1 ;;
esac
`;

  test("is asked after a refusal, once for each place", async () => {
    using work = createWorkspace();
    work.write("bin/keyring", SCRIPT, { mode: 0o755 });
    const environment = {
      HOME: "/nonexistent",
      PATH: `${work.at("bin")}:/usr/bin:/bin`,
      LOG: work.at("log"),
    };
    const all = new Credentials(environment, "subprocess");
    all.add("https://h.example/simple/");
    all.add("https://me@other.example/simple/");
    const here = new URL("https://h.example/simple/foo/");
    const there = new URL("https://other.example/simple/foo/");
    expect(await all.challenged(here)).toBe(true);
    expect(sent(all, here.href)).toBe("found:secret");
    expect(await all.challenged(there)).toBe(true);
    expect(sent(all, there.href)).toBe("me:by-host");
    expect(await all.challenged(new URL("https://third.example/"))).toBe(false);
    expect(await all.challenged(new URL("https://third.example/"))).toBe(false);
    expect(await all.challenged(here)).toBe(false);
    expect((await Bun.file(work.at("log")).text()).trim().split("\n")).toEqual([
      "--mode creds get https://h.example/simple/",
      "get https://other.example/simple/ me",
      "get other.example me",
      "--mode creds get https://third.example/",
      "--mode creds get third.example",
    ]);
  });

  test("is left alone unless it is enabled", async () => {
    expect(await credentials().challenged(new URL("https://h.example/"))).toBe(false);
  });

  test("need not be there", async () => {
    const all = new Credentials({ HOME: "/nonexistent", PATH: "/nonexistent" }, "subprocess");
    expect(await all.challenged(new URL("https://h.example/"))).toBe(false);
  });
});
