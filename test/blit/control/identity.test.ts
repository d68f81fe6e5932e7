import { describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeIdentity } from "../../../src/blit/control/certificate.ts";
import {
  loadCertificates,
  loadIdentity,
  loadOrMakeIdentity,
} from "../../../src/blit/control/identity.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

function files() {
  const folder = mkdtempSync(join(tmpdir(), "identity-"));
  return { certFile: join(folder, "tls/cert.pem"), keyFile: join(folder, "tls/key.pem") };
}

const NAMED = { commonName: "blitd", names: ["localhost"] };

function faultOf(action: () => unknown): Fault {
  try {
    action();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("no fault");
}

describe("the certificate of a daemon", () => {
  test("is made once, its key for its owner's eyes only, and stays", () => {
    const paths = files();
    const first = loadOrMakeIdentity({ ...paths, ...NAMED });
    expect(first.isNew).toBe(true);
    expect(statSync(paths.keyFile).mode & 0o777).toBe(0o600);
    expect(statSync(paths.certFile).mode & 0o777).toBe(0o644);
    const fingerprint = new X509Certificate(first.cert).fingerprint256.replaceAll(":", "");
    expect(first.certificateSha256).toBe(fingerprint.toLowerCase());
    expect(loadOrMakeIdentity({ ...paths, ...NAMED })).toEqual({ ...first, isNew: false });
  });

  test("is not replaced when half of it is missing", () => {
    const paths = files();
    loadOrMakeIdentity({ ...paths, ...NAMED });
    rmSync(paths.certFile);
    const before = readFileSync(paths.keyFile, "utf8");
    expect(faultOf(() => loadOrMakeIdentity({ ...paths, ...NAMED }))).toMatchObject({
      code: "E_NOT_FOUND",
    });
    expect(readFileSync(paths.keyFile, "utf8")).toBe(before);
  });

  test("is not used with a key that everybody may read", () => {
    const paths = files();
    loadOrMakeIdentity({ ...paths, ...NAMED });
    chmodSync(paths.keyFile, 0o644);
    const fault = faultOf(() => loadIdentity(paths));
    expect(fault.code).toBe("E_REFUSED");
    expect(fault.hint).toBe(`chmod 600 ${paths.keyFile}`);
  });

  test("is not used with another key, or with something that is none", () => {
    const paths = files();
    loadOrMakeIdentity({ ...paths, ...NAMED });
    writeFileSync(paths.keyFile, makeIdentity(NAMED).key);
    expect(faultOf(() => loadIdentity(paths)).message).toContain("is not the key of");
    writeFileSync(paths.keyFile, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n");
    const fault = faultOf(() => loadIdentity(paths));
    expect(fault.message).toContain("is not a private key");
    expect(JSON.stringify(fault.toJson())).not.toContain("c2VjcmV0");
    writeFileSync(paths.certFile, "hello");
    expect(faultOf(() => loadIdentity(paths)).message).toContain("is not a certificate");
  });
});

test("a file of certificates holds one or more, and only such", () => {
  const { certFile: file } = files();
  const [one, two] = [makeIdentity(NAMED), makeIdentity(NAMED)];
  const path = join(file, "../..", "ca.pem");
  writeFileSync(path, `${one.cert}# and\n${two.cert}`);
  expect(loadCertificates(path)).toContain(two.cert);
  writeFileSync(path, one.key);
  expect(faultOf(() => loadCertificates(path)).message).toContain("holds no certificate");
  writeFileSync(path, one.cert.replace("\n", "\nAAAA"));
  expect(faultOf(() => loadCertificates(path)).code).toBe("E_CONFIG");
  expect(faultOf(() => loadCertificates(`${path}.gone`)).code).toBe("E_NOT_FOUND");
});
