import { expect } from "bun:test";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTokenTable, tokenLine } from "../../../src/blit/control/bearer-tokens.ts";
import type { ControlHandlers } from "../../../src/blit/control/calls.ts";
import { type Identity, makeIdentity } from "../../../src/blit/control/certificate.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { serveControl } from "../../support/control.ts";
import {
  askWithPython,
  grpcurl,
  needsGrpcPython,
  needsGrpcurl,
} from "../../support/grpc-clients.ts";
import { testUnless } from "../../support/skip.ts";

/** A daemon with two modules, for clients that others have made. */
function handlers(): { own: Partial<ControlHandlers>; cancelled: Promise<string> } {
  const cancelled = Promise.withResolvers<string>();
  return {
    cancelled: cancelled.promise,
    own: {
      async *list({ place }) {
        if (place === undefined) yield { modules: [{ name: "photos" }, { name: "músic" }] };
        else yield { entries: [{ path: place.path }] };
      },
      async *push(requests) {
        for await (const { payload } of requests) if (payload.case === "data") yield { payload };
      },
      async *purge() {
        yield* [];
        throw new Fault({ code: "E_REFUSED", message: "Cannot remove “é”", hint: "never" });
      },
      filesystemStats: (_, context) =>
        new Promise((_, reject) => {
          context.signal.addEventListener("abort", () => {
            cancelled.resolve("cancelled");
            reject(context.signal.reason);
          });
        }),
    },
  };
}

const EXPECTED = {
  modules: ["photos", "músic"],
  entries: ["ff2f80"],
  echo: 20 * 65_536,
  purge: { code: "FAILED_PRECONDITION", details: "Cannot remove “é”", failure: true },
  deadline: { code: "DEADLINE_EXCEEDED" },
};

function files(identity: Identity): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), "identity-"));
  const paths = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  writeFileSync(paths.cert, identity.cert);
  writeFileSync(paths.key, identity.key, { mode: 0o600 });
  return paths;
}

const daemon = makeIdentity({ commonName: "blitd", names: ["localhost", "127.0.0.1"] });
const alice = makeIdentity({ commonName: "alice", names: [] });

testUnless(needsGrpcPython())(
  "grpcio, plain",
  async () => {
    const { own, cancelled } = handlers();
    await using server = await serveControl(own);
    expect(await askWithPython(`127.0.0.1:${server.port}`)).toMatchObject(EXPECTED);
    expect(await cancelled).toBe("cancelled");
  },
  60_000,
);

testUnless(needsGrpcPython())(
  "grpcio over mTLS with a token",
  async () => {
    const { own } = handlers();
    await using server = await serveControl(own, {
      tls: { ...daemon, clientCa: alice.cert },
      tokens: parseTokenTable(tokenLine("alice", "open-sesame"), "tokens"),
    });
    const { cert, key } = files(alice);
    const address = `127.0.0.1:${server.port}`;
    const encrypted = ["--ca", files(daemon).cert, "--cert", cert, "--key", key];
    expect(await askWithPython(address, ...encrypted, "--token", "open-sesame")).toMatchObject(
      EXPECTED,
    );
    const refused = { code: "UNAUTHENTICATED", failure: true };
    expect(await askWithPython(address, ...encrypted, "--token", "guess")).toMatchObject({
      modules: refused,
      echo: refused,
      purge: refused,
    });
  },
  60_000,
);

testUnless(needsGrpcurl())(
  "grpcurl lists the modules, and shows errors",
  async () => {
    const { own } = handlers();
    await using server = await serveControl(own);
    const address = `127.0.0.1:${server.port}`;
    const listed = await grpcurl("-plaintext", address, "blit.v2.Blit/List");
    expect(JSON.parse(listed)).toEqual({ modules: [{ name: "photos" }, { name: "músic" }] });
    const failed = await grpcurl("-plaintext", address, "blit.v2.Blit/Purge");
    expect(failed).toContain("Code: FailedPrecondition");
    expect(failed).toContain("Message: Cannot remove “é”");
    expect(failed).toContain('"hint": "never"');
  },
  60_000,
);

testUnless(needsGrpcurl())(
  "grpcurl over TLS with a token",
  async () => {
    const { own } = handlers();
    await using server = await serveControl(own, {
      tls: daemon,
      tokens: parseTokenTable(tokenLine("alice", "open-sesame"), "tokens"),
    });
    const args = ["-cacert", files(daemon).cert, `127.0.0.1:${server.port}`, "blit.v2.Blit/List"];
    expect(await grpcurl(...args)).toContain("Code: Unauthenticated");
    const listed = await grpcurl("-H", "authorization: Bearer open-sesame", ...args);
    expect(listed).toContain("photos");
  },
  60_000,
);
