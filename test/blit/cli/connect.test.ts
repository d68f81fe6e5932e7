import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { securityFor } from "../../../src/blit/cli/connect.ts";
import type { ConnectionFlags } from "../../../src/blit/cli/connection-args.ts";
import { Sink } from "../../support/capture.ts";
import { faultOf } from "../../support/control.ts";
import { createWorkspace } from "../../support/workspace.ts";

const none: ConnectionFlags = {
  tls: false,
  "accept-new": false,
  ca: undefined,
  cert: undefined,
  key: undefined,
  "token-file": undefined,
};
const endpoint = { host: "nas", port: 9031 };

function secure(flags: Partial<ConnectionFlags>, config: string) {
  return securityFor(endpoint, {
    flags: { ...none, ...flags },
    printer: new Sink().printer(),
    environment: { HOME: config, XDG_CONFIG_HOME: config },
  });
}

test("plain unless a flag wants more, or the daemon has shown a certificate before", async () => {
  using work = createWorkspace();
  expect(await secure({}, work.path)).toMatchObject({ kind: "plain" });
  for (const flags of [{ tls: true }, { "accept-new": true }]) {
    const { kind, ...rest } = await secure(flags, work.path);
    expect([kind, "trust" in rest && rest.trust.kind]).toEqual(["tls", "known-hosts"]);
  }
  mkdirSync(work.at("blit"));
  writeFileSync(work.at("blit/known_hosts"), `nas:9031 sha256:${"ab".repeat(32)}\n`);
  expect(await secure({}, work.path)).toMatchObject({ kind: "tls" });
});

test("certificates and tokens come from files that only their owner may read", async () => {
  using work = createWorkspace();
  const ca = work.write("ca.pem", "CA");
  const cert = work.write("cert.pem", "CERT");
  const key = work.write("key.pem", "KEY", { mode: 0o600 });
  const token = work.write("token", "s3cret\n", { mode: 0o600 });
  expect(await secure({ ca, cert, key, "token-file": token }, work.path)).toEqual({
    kind: "tls",
    trust: { kind: "ca", ca: "CA" },
    identity: { cert: "CERT", key: "KEY" },
    token: "s3cret",
  });
  chmodSync(key, 0o640);
  chmodSync(token, 0o604);
  for (const flags of [{ cert, key }, { "token-file": token }]) {
    const fault = await faultOf(secure(flags, work.path));
    expect([fault.code, fault.hint]).toEqual(["E_REFUSED", expect.stringContaining("chmod 600")]);
    expect(fault.message).not.toContain("s3cret");
  }
});

test("what cannot be used is told", async () => {
  using work = createWorkspace();
  const wordy = work.write("token", "one two", { mode: 0o600 });
  const empty = work.write("empty", "\n", { mode: 0o600 });
  const codes: string[] = [];
  for (const flags of [
    { cert: wordy },
    { key: wordy },
    { ca: work.at("gone") },
    { "token-file": wordy },
    { "token-file": empty },
  ]) {
    codes.push((await faultOf(secure(flags, work.path))).code);
  }
  expect(codes).toEqual(["E_USAGE", "E_USAGE", "E_NOT_FOUND", "E_CONFIG", "E_CONFIG"]);
});
