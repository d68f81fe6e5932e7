import { describe, expect, test } from "bun:test";

import type { TrustSettings } from "../../../src/kit/http/trust.ts";
import { Trust } from "../../../src/kit/http/trust.ts";
import { createWorkspace } from "../../support/workspace.ts";

function trust(settings: Partial<TrustSettings> = {}): Trust {
  return new Trust({ verifySsl: true, trustedHosts: [], environment: {}, ...settings });
}

const URL_HERE = new URL("https://here.example/");

describe("authorities", () => {
  test("are the runtime's own if nobody names others", () => {
    expect(trust().optionsFor(URL_HERE)).toEqual({});
  });

  test("are what is named: a setting, then the variables of pip and of OpenSSL", () => {
    using work = createWorkspace();
    const environment = {
      PIP_CERT: work.write("pip.pem", "pip"),
      SSL_CERT_FILE: work.write("ssl.pem", "ssl"),
      REQUESTS_CA_BUNDLE: work.write("requests.pem", "requests"),
    };
    const ca = work.write("own.pem", "own");
    expect(trust({ ca, environment }).optionsFor(URL_HERE)).toEqual({ ca: "own" });
    expect(trust({ environment }).optionsFor(URL_HERE)).toEqual({ ca: "pip" });
    const { PIP_CERT: _, ...rest } = environment;
    expect(trust({ environment: rest }).optionsFor(URL_HERE)).toEqual({ ca: "ssl" });
  });

  test("keep NODE_EXTRA_CA_CERTS beside them, and may be a folder", () => {
    using work = createWorkspace();
    work.write("ca/one.pem", "one");
    work.write("ca/two.crt", "two");
    work.write("ca/readme", "no");
    const environment = { NODE_EXTRA_CA_CERTS: work.write("extra.pem", "extra") };
    const { ca } = trust({ ca: work.at("ca"), environment }).optionsFor(URL_HERE);
    expect(ca?.split("\n").sort()).toEqual(["extra", "one", "two"]);
  });

  test("that cannot be read are told, and only when they are needed", () => {
    const missing = trust({ ca: "/nonexistent/ca.pem" });
    expect(missing.optionsFor(new URL("http://here.example/"))).toEqual({});
    expect(() => missing.optionsFor(URL_HERE)).toThrow(
      'Cannot read the certificates in "/nonexistent/ca.pem": no such file or directory',
    );
  });
});

test("a client's certificate, with its key in the same file or another", () => {
  using work = createWorkspace();
  const clientCert = work.write("client.pem", "both");
  const clientKey = work.write("key.pem", "key");
  expect(trust({ clientCert }).optionsFor(URL_HERE)).toEqual({ cert: "both", key: "both" });
  expect(trust({ clientCert, clientKey }).optionsFor(URL_HERE)).toMatchObject({ key: "key" });
});

test("trusted hosts, by name and by name and port", () => {
  const blind = { rejectUnauthorized: false } as const;
  const some = trust({ trustedHosts: ["Here.Example", "other.example:8443"] });
  expect(some.optionsFor(URL_HERE)).toEqual(blind);
  expect(some.optionsFor(new URL("https://other.example:8443/"))).toEqual(blind);
  expect(some.optionsFor(new URL("https://other.example/"))).toEqual({});
  expect(trust({ verifySsl: false }).optionsFor(URL_HERE)).toEqual(blind);
});
