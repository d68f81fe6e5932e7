import { describe, expect, test } from "bun:test";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeIdentity } from "../../../src/blit/control/certificate.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

const NAMES = ["localhost", "backup.example", "127.0.0.1", "::1", "2001:db8::7:0:1"];

describe("a certificate that signs itself", () => {
  const { cert, key } = makeIdentity({ commonName: "blitd at home é", names: NAMES });
  const certificate = new X509Certificate(cert);

  test("is its own issuer, and its key is the one beside it", () => {
    expect(certificate.subject).toBe(certificate.issuer);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.subject).toContain("blitd at home");
    expect(certificate.ca).toBe(false);
  });

  test("is for the names that were given, and no others", () => {
    expect(certificate.checkHost("backup.example")).toBe("backup.example");
    expect(certificate.checkHost("other.example")).toBeUndefined();
    expect(certificate.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(certificate.checkIP("2001:db8:0:0:0:7:0:1")).toBeDefined();
    expect(certificate.checkIP("127.0.0.2")).toBeUndefined();
  });

  test("is good from yesterday on, for ten years", () => {
    const [from, to] = [new Date(certificate.validFrom), new Date(certificate.validTo)];
    expect((Date.now() - from.getTime()) / 86_400_000).toBeCloseTo(1, 1);
    expect((to.getTime() - Date.now()) / 86_400_000).toBeCloseTo(3650, 1);
  });

  test("is never the same twice", () => {
    const another = new X509Certificate(makeIdentity({ commonName: "x", names: [] }).cert);
    expect(another.serialNumber).not.toBe(certificate.serialNumber);
    expect(another.fingerprint256).not.toBe(certificate.fingerprint256);
  });

  test("beyond 2049 its times take the longer form", () => {
    const late = makeIdentity({
      commonName: "x",
      names: [],
      now: new Date("2060-03-04T05:06:07Z"),
    });
    expect(new X509Certificate(late.cert).validFrom).toContain("2060");
  });

  test("of many names still is one (lengths of three digits)", () => {
    const names = Array.from({ length: 500 }, (_, index) => `host-${index}.example`);
    const large = new X509Certificate(makeIdentity({ commonName: "x".repeat(99), names }).cert);
    expect(large.checkHost("host-499.example")).toBe("host-499.example");
  });

  testUnless(needsProgram("openssl"))("is what openssl takes for right", () => {
    const file = join(mkdtempSync(join(tmpdir(), "cert-")), "cert.pem");
    writeFileSync(file, cert);
    const run = (...args: string[]) => Bun.spawnSync(["openssl", ...args]).stdout.toString();
    expect(run("verify", "-x509_strict", "-CAfile", file, file)).toContain("OK");
    const text = run("x509", "-in", file, "-noout", "-text");
    expect(text).toContain("DNS:localhost, DNS:backup.example, IP Address:127.0.0.1");
    expect(text).toContain("TLS Web Server Authentication, TLS Web Client Authentication");
  });
});
