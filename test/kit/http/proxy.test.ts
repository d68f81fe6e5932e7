import { describe, expect, test } from "bun:test";

import { proxyFor } from "../../../src/kit/http/proxy.ts";

function choose(url: string, environment: Record<string, string>, proxy?: string): unknown {
  return proxyFor(new URL(url), { environment, proxy });
}

describe("the proxy for a URL", () => {
  test("is by scheme, small letters first, all_proxy last", () => {
    const environment = { HTTPS_PROXY: "http://upper:1", https_proxy: "lower:2", ALL_PROXY: "all" };
    expect(choose("https://a.example/", environment)).toBe("http://lower:2");
    expect(choose("http://a.example/", environment)).toBe("http://all");
    expect(choose("http://a.example/", {})).toBeUndefined();
    expect(choose("http://a.example/", { http_proxy: "" })).toBeUndefined();
  });

  test("that is given explicitly counts for all", () => {
    expect(choose("https://a.example/", { NO_PROXY: "*" }, "p:3")).toBe("http://p:3");
  });
});

const EXEMPT: readonly [list: string, url: string, direct: boolean][] = [
  ["*", "http://a.example/", true],
  ["a.example", "http://a.example/", true],
  ["a.example", "http://b.a.example/", true],
  [".a.example", "http://b.a.example/", true],
  ["*.a.example", "http://b.a.example/", true],
  ["a.example", "http://ba.example/", false],
  ["other, A.Example", "http://a.example:8080/", true],
  ["a.example:8080", "http://a.example:8080/", true],
  ["a.example:8080", "http://a.example/", false],
  ["a.example:443", "https://a.example/", true],
  ["127.0.0.1", "http://127.0.0.1:9/", true],
  ["10.0.0.0/8", "http://10.1.2.3/", true],
  ["10.0.0.0/8", "http://11.1.2.3/", false],
  ["10.0.0.0/33", "http://10.1.2.3/", false],
  ["0.0.0.0/0", "http://a.example/", false],
  ["::1", "http://[::1]:8080/", true],
  ["[::1]:8080", "http://[::1]:8080/", true],
  ["", "http://a.example/", false],
];

describe("no_proxy", () => {
  for (const [list, url, direct] of EXEMPT) {
    test(`"${list}" and ${url}`, () => {
      const proxy = choose(url, {
        http_proxy: "http://p",
        https_proxy: "http://p",
        no_proxy: list,
      });
      expect(proxy).toBe(direct ? undefined : "http://p");
    });
  }
});
