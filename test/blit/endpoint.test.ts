import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  DEFAULT_PORT,
  formatPlace,
  hostPort,
  looksRemote,
  parseEndpoint,
  parsePlace,
} from "../../src/blit/endpoint.ts";
import { Fault } from "../../src/kit/fault/fault.ts";

function place(host: string, port: number, module: string, path: string) {
  return { kind: "place" as const, host, port, module, path };
}

function faultOf(argument: string): Fault {
  try {
    parsePlace(argument);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error(`${argument} was taken`);
}

describe("what names a server", () => {
  test.each(["server:/m/", "server://p", "server:9031", "[::1]:/m/", "a:b", ":x"])("%s", (text) => {
    expect(looksRemote(text)).toBe(true);
  });
  test.each(["./a:b", "/a:b", "a/b:c", "plain", "", "[x]", "../a:/b"])("%s is local", (text) => {
    expect(looksRemote(text)).toBe(false);
  });
});

describe("places", () => {
  const cases: [string, ReturnType<typeof place>][] = [
    ["server:/module/", place("server", 9031, "module", "")],
    ["server:/module/a/b", place("server", 9031, "module", "a/b")],
    ["server:/module/a/", place("server", 9031, "module", "a/")],
    ["server:/module//a", place("server", 9031, "module", "a")],
    ["server:9000:/module/a", place("server", 9000, "module", "a")],
    ["server:9000/module/a", place("server", 9000, "module", "a")],
    ["server:9000/module/", place("server", 9000, "module", "")],
    ["server:9000//a", place("server", 9000, "", "a")],
    ["server:9000://a", place("server", 9000, "", "a")],
    ["server://path", place("server", 9031, "", "path")],
    ["server://", place("server", 9031, "", "")],
    ["server:///a", place("server", 9031, "", "a")],
    ["10.0.0.1:/m/x:y", place("10.0.0.1", 9031, "m", "x:y")],
    ["[::1]:/m/a", place("::1", 9031, "m", "a")],
    ["[::1]:9000:/m/a", place("::1", 9000, "m", "a")],
    ["[::1]:9000/m/a", place("::1", 9000, "m", "a")],
    ["[fe80::1%eth0]://a", place("fe80::1%eth0", 9031, "", "a")],
    ["my_host.example.org.:/m/", place("my_host.example.org.", 9031, "m", "")],
    ["server:/9000/a", place("server", 9031, "9000", "a")],
    ["server:/m/\xff", place("server", 9031, "m", "\xff")],
    ["server:/m\xc3\xbc/", place("server", 9031, "mü", "")],
  ];
  test.each(cases)("%s", (typed, expected) => {
    expect(parsePlace(typed)).toEqual({ ...expected, typed });
  });

  test("servers alone", () => {
    expect(parseEndpoint("server")).toEqual({ kind: "server", host: "server", port: 9031 });
    expect(parseEndpoint("server:9000")).toEqual({ kind: "server", host: "server", port: 9000 });
    expect(parseEndpoint("[::1]")).toEqual({ kind: "server", host: "::1", port: 9031 });
    expect(parseEndpoint("[::1]:9000")).toEqual({ kind: "server", host: "::1", port: 9000 });
    expect(hostPort(parseEndpoint("[::1]:9000"))).toBe("[::1]:9000");
    expect(hostPort(parseEndpoint("server"))).toBe("server:9031");
  });
});

describe("what is refused, with the forms that are right", () => {
  test("a module without its slash", () => {
    const fault = faultOf("server:/module");
    expect(fault.code).toBe("E_USAGE");
    expect(fault.message).toBe('Cannot use "server:/module": it could be a module or a path');
    expect(fault.hint).toBe(
      'write "server:/module/" for the module, or "server://module" for the path in what the ' +
        "server exports by default",
    );
    expect(faultOf("server:9000/m").hint).toContain('"server:9000:/m/" for the module');
    expect(faultOf("[::1]:9000:/m").hint).toContain('"[::1]:9000:/m/" for the module');
  });
  test("no module at all", () => {
    expect(faultOf("server:/").hint).toContain('"server:/module/"');
    expect(faultOf("server:9000").hint).toContain('"server:9000:/module/path"');
    expect(faultOf("server:9000").hint).toContain('"./server:9000"');
  });
  const cases: [string, string][] = [
    ["a:b", "behind the colon of a server comes a slash or a port"],
    ["a:", "there is nothing behind the colon"],
    [":/m/", "there is no server before the colon"],
    ["user@host:/m/", '"user@host" is no name of a server'],
    ["::1:/m/", "there is no server before the colon"],
    ["fe80::1:/m/", "an IPv6 address needs brackets"],
    ["[::1:/m/", "an IPv6 address in brackets is followed by a colon"],
    ["[::1]x:/m/", "an IPv6 address in brackets is followed by a colon"],
    ["[name]:/m/", "an IPv6 address in brackets is followed by a colon"],
    ["server:99x/m/", "behind the colon of a server comes a slash or a port"],
    ["server:/../a", '".." is no name of a module'],
    ["-x:/m/", '"-x" is no name of a server'],
  ];
  test.each(cases)("%s", (typed, why) => {
    const fault = faultOf(typed);
    expect(fault.message).toBe(`Cannot use "${typed}" as a place on a server: ${why}`);
    expect(fault.hint).toContain(`"./${typed}"`);
    expect(fault.exit).toBe(2);
  });
  test.each(["server:0:/m/", "server:65536/m/", "server:123456"])(
    "%s has no such port",
    (typed) => {
      expect(faultOf(typed).hint).toBe("ports go from 1 to 65535");
    },
  );
});

describe("properties", () => {
  const host = fc.oneof(
    fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,4}){0,2}$/),
    fc.ipV4(),
    fc.ipV6().filter((text) => text.includes(":")),
  );
  const latin1 = (min: number) =>
    fc
      .array(fc.integer({ min: 1, max: 255 }), { minLength: min, maxLength: 12 })
      .map((codes) => String.fromCharCode(...codes));
  const module = fc
    .stringMatching(/^[A-Za-z0-9 :._-]{0,8}$/)
    .filter((text) => text !== "." && text !== "..");
  const path = latin1(0).map((text) => text.replace(/^\/+/, ""));
  const port = fc.oneof(fc.constant(DEFAULT_PORT), fc.integer({ min: 1, max: 65_535 }));

  test("every place comes back from how it is written", () => {
    fc.assert(
      fc.property(host, port, module, path, (host, port, module, path) => {
        const parts = { host, port, module, path };
        const typed = formatPlace(parts);
        expect(looksRemote(typed)).toBe(true);
        expect(parsePlace(typed)).toEqual({ kind: "place", ...parts, typed });
      }),
    );
  });

  test("a port with or without its second colon is the same", () => {
    fc.assert(
      fc.property(host, port, module, path, (host, port, module, path) => {
        const server = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
        const { typed: _, ...one } = parsePlace(`${server}:/${module}/${path}`);
        const { typed: __, ...other } = parsePlace(`${server}/${module}/${path}`);
        expect(one).toEqual(other);
      }),
    );
  });

  test("any text is a place, a server or a fault of usage, whatever it holds", () => {
    const parts = fc.constantFrom("a", ":", "/", "[", "]", "::1", "9031", "%", ".", "..", "\xff");
    const texts = fc.oneof(
      latin1(0),
      fc.array(parts, { maxLength: 10 }).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          const endpoint = parseEndpoint(text);
          expect(endpoint.port).toBeWithin(1, 65_536);
          expect(endpoint.host).not.toBe("");
        } catch (error) {
          expect(error).toBeInstanceOf(Fault);
          expect((error as Fault).code).toBe("E_USAGE");
          expect((error as Fault).hint).toBeDefined();
        }
      }),
      { numRuns: 2000 },
    );
  });
});
